-- Names every column that lookups name, so that it fails where one is missing; reads no row.
SELECT
    IMAGE_SHA256,
    LABEL,
    MODEL,
    CREATED_AT
FROM IMAGE_RESULT
WHERE 1 = 0
