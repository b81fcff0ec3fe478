-- How many this session has made, this one included or not: read it twice to know.
SELECT M.VALUE
FROM V$MYSTAT M
INNER JOIN V$STATNAME N ON M.STATISTIC# = N.STATISTIC#
WHERE N.NAME = 'SQL*Net roundtrips to/from client'
