-- SQL*Plus: drops the result table of the user that runs it, with all results and past the recycle bin.

--   cd scripts/oracle
--   sqlplus -L augur_owner@//db.example.com:1521/XEPDB1 @drop-table.sql
WHENEVER OSERROR EXIT FAILURE
WHENEVER SQLERROR EXIT SQL.SQLCODE

-- The file holds one PL/SQL block and no line with a slash, since drivers refuse that; so the slash stands here.
@@../../sql/oracle/drop.sql
/
