-- Touches no row: the right is asked for when the statement is parsed.
UPDATE URL_RESULT
SET RESULT = RESULT
WHERE 1 = 0
