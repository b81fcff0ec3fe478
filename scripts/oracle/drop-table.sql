-- SQL*Plus: drops the result tables of the user that runs it, with all results and past the recycle bin.

--   cd scripts/oracle
--   sqlplus -L augur_owner@//db.example.com:1521/XEPDB1 @drop-table.sql
WHENEVER OSERROR EXIT FAILURE
WHENEVER SQLERROR EXIT SQL.SQLCODE

-- Each file holds one PL/SQL block and no line with a slash, since drivers refuse that; so the slash stands here.
@@../../sql/oracle/drop.sql
/
@@../../sql/oracle/image_drop.sql
/
