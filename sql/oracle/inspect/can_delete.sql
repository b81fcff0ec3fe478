-- Touches no row: the right is asked for when the statement is parsed.
DELETE FROM URL_RESULT
WHERE 1 = 0
