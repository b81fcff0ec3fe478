-- The store writes as many binds into the list as it looks up keys, in a few fixed lengths; one bind is an equality.
SELECT
    IMAGE_SHA256,
    LABEL,
    MODEL
FROM IMAGE_RESULT
WHERE IMAGE_SHA256 IN (:1)
