-- Names every column that lookups name, so that it fails where one is missing; reads no row.
SELECT
    URL,
    RESULT,
    MODEL,
    CREATED_AT
FROM URL_RESULT
WHERE 1 = 0
