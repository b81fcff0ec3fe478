SELECT
    NAME,
    VALUE
FROM V$PARAMETER
WHERE NAME IN ('processes', 'sessions')
