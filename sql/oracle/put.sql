-- Followed by insert.sql where no row was there: works with or without a unique key on the key column.
UPDATE URL_RESULT
SET
    RESULT = :1,
    MODEL = :2
WHERE URL = :3
