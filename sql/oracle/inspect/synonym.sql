-- What a synonym stands for; a private one goes before a public one.
SELECT
    TABLE_OWNER,
    TABLE_NAME
FROM ALL_SYNONYMS
WHERE
    SYNONYM_NAME = :1
    AND OWNER IN (:2, 'PUBLIC')
ORDER BY CASE OWNER WHEN 'PUBLIC' THEN 1 ELSE 0 END
