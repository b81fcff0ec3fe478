-- With FOR UPDATE behind it where the row is to be changed.
SELECT
    IMAGE_SHA256,
    LABEL,
    MODEL,
    CREATED_AT
FROM IMAGE_RESULT
WHERE IMAGE_SHA256 = :1
