-- With FOR UPDATE behind it where the row is to be changed.
SELECT
    URL,
    RESULT,
    MODEL,
    CREATED_AT
FROM URL_RESULT
WHERE URL = :1
