-- Columns whose width is counted in characters: what describes a SELECT tells the bytes that these may take at most.
SELECT
    COLUMN_NAME,
    CHAR_LENGTH
FROM ALL_TAB_COLUMNS
WHERE
    OWNER = :1
    AND TABLE_NAME = :2
    AND CHAR_USED = 'C'
