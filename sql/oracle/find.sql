-- The store writes as many binds into the list as it looks up keys, in a few fixed lengths; one bind is an equality.
SELECT
    URL,
    RESULT,
    MODEL
FROM URL_RESULT
WHERE URL IN (:1)
