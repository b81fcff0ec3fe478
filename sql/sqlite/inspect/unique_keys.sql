-- The columns of each unique index that holds for all rows; a collation that folds keys makes an index another one.
SELECT
    L.NAME AS KEY_NAME,
    I.NAME AS COLUMN_NAME,
    I.COLL AS COLLATION_NAME
FROM PRAGMA_INDEX_LIST(?1, ?2) L
INNER JOIN PRAGMA_INDEX_XINFO(L.NAME, ?2) I
WHERE
    L."unique" = 1
    AND L.PARTIAL = 0
    AND I.KEY = 1
ORDER BY
    L.SEQ,
    I.SEQNO
