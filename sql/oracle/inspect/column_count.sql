-- 0 where the name is no table or view, but perhaps a synonym.
SELECT COUNT(*) AS COLUMN_COUNT
FROM ALL_TAB_COLUMNS
WHERE
    OWNER = :1
    AND TABLE_NAME = :2
