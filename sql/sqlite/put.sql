-- Followed by insert.sql where no row was there: works with or without a unique key on the key column.
UPDATE URL_RESULT
SET
    RESULT = ?2,
    MODEL = ?3
WHERE URL = ?1
