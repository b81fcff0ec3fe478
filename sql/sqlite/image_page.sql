-- From ?1 on, without ?2: the key that the page before ended with. The line with ?3 is left out where there is no end.
-- What other programs have stored as bytes, or longer than any key, has no address here.
SELECT
    IMAGE_SHA256,
    LABEL,
    MODEL,
    CREATED_AT
FROM IMAGE_RESULT
WHERE
    IMAGE_SHA256 >= ?1
    AND IMAGE_SHA256 <> ?2
    AND IMAGE_SHA256 < ?3
    AND typeof(IMAGE_SHA256) = 'text'
    AND octet_length(IMAGE_SHA256) <= 4000
    AND (?4 IS NULL OR MODEL = ?4)
ORDER BY IMAGE_SHA256
LIMIT ?5
