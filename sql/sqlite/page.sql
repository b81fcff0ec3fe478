-- From ?1 on, without ?2: the key that the page before ended with. The line with ?3 is left out where there is no end.
-- What other programs have stored as bytes, or longer than any key, has no address here.
SELECT
    URL,
    RESULT,
    MODEL,
    CREATED_AT
FROM URL_RESULT
WHERE
    URL >= ?1
    AND URL <> ?2
    AND URL < ?3
    AND typeof(URL) = 'text'
    AND octet_length(URL) <= 4000
    AND (?4 IS NULL OR MODEL = ?4)
ORDER BY URL
LIMIT ?5
