-- Idempotent: ORA-00942 (there is no such table) is the only error passed over.
BEGIN
    EXECUTE IMMEDIATE 'DROP TABLE IMAGE_RESULT PURGE';
EXCEPTION
    WHEN OTHERS THEN
        IF SQLCODE != -942 THEN
            RAISE;
        END IF;
END;
