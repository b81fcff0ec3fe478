-- ROWNUM, since FETCH FIRST needs 12.1.
SELECT *
FROM (
    SELECT
        URL,
        RESULT,
        MODEL,
        CREATED_AT
    FROM URL_RESULT
    WHERE URL > :1
    ORDER BY URL
)
WHERE ROWNUM <= :2
