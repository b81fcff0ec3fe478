-- The result table. Idempotent on 11.2 to 23ai: ORA-00955 (the name is in use) is the only error passed over.
-- Every column but the key and the result may be left out by other programs that insert.
-- URL is BYTE, not CHAR: 4000 CHAR could reach 16000 bytes, over the 6398 that an index key may have.
BEGIN
    EXECUTE IMMEDIATE '
        CREATE TABLE URL_RESULT (
            URL VARCHAR2(4000 BYTE) NOT NULL,
            RESULT BINARY_DOUBLE,
            MODEL VARCHAR2(200 BYTE),
            CREATED_AT TIMESTAMP(6) DEFAULT SYS_EXTRACT_UTC(SYSTIMESTAMP),
            CONSTRAINT URL_RESULT_PK PRIMARY KEY (URL)
        )';
EXCEPTION
    WHEN OTHERS THEN
        IF SQLCODE != -955 THEN
            RAISE;
        END IF;
END;
