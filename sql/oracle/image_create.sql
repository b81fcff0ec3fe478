-- The table of pictures and their labels. Idempotent like create.sql.
-- IMAGE_SHA256 is the SHA-256 of the uploaded bytes, 64 lower-case hexadecimal digits.
BEGIN
    EXECUTE IMMEDIATE '
        CREATE TABLE IMAGE_RESULT (
            IMAGE_SHA256 VARCHAR2(64 BYTE) NOT NULL,
            LABEL VARCHAR2(4000 BYTE),
            MODEL VARCHAR2(200 BYTE),
            CREATED_AT TIMESTAMP(6) DEFAULT SYS_EXTRACT_UTC(SYSTIMESTAMP),
            CONSTRAINT IMAGE_RESULT_PK PRIMARY KEY (IMAGE_SHA256)
        )';
EXCEPTION
    WHEN OTHERS THEN
        IF SQLCODE != -955 THEN
            RAISE;
        END IF;
END;
