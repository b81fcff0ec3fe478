-- From :1 on, without :2: the key that the page before ended with. The line with :3 is left out where there is no end.
-- ROWNUM, since FETCH FIRST needs 12.1. The columns have names of their own: of those that a table lacks only NULL is
-- left, and two columns of that name would be ambiguous outside (ORA-00918). Keys that are longer than any of ours,
-- which MAX_STRING_SIZE = EXTENDED allows, have no address here.
SELECT
    ROW_KEY,
    ROW_RESULT,
    ROW_MODEL,
    ROW_CREATED
FROM (
    SELECT
        IMAGE_SHA256 AS ROW_KEY,
        LABEL AS ROW_RESULT,
        MODEL AS ROW_MODEL,
        CREATED_AT AS ROW_CREATED
    FROM IMAGE_RESULT
    WHERE
        IMAGE_SHA256 >= :1
        AND IMAGE_SHA256 <> :2
        AND IMAGE_SHA256 < :3
        AND LENGTHB(IMAGE_SHA256) <= 4000
        AND (:4 IS NULL OR MODEL = :5)
    ORDER BY IMAGE_SHA256
)
WHERE ROWNUM <= :6
