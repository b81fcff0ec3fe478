-- Touches no row: the right is asked for when the statement is parsed.
INSERT INTO URL_RESULT (URL, RESULT)
SELECT
    URL,
    RESULT
FROM URL_RESULT
WHERE 1 = 0
