-- Some key that is there, without a sort.
SELECT URL
FROM URL_RESULT
WHERE ROWNUM = 1
