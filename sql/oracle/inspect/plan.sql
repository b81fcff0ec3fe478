-- How this session's last statement was carried out. Where V$SQL_PLAN is not readable, the text says so.
SELECT PLAN_TABLE_OUTPUT
FROM TABLE(DBMS_XPLAN.DISPLAY_CURSOR(NULL, NULL, 'BASIC +PREDICATE'))
