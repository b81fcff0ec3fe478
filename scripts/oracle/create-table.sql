-- SQL*Plus: makes the result tables in the schema of the user that runs it; harmless where they are there.

--   cd scripts/oracle
--   sqlplus -L augur_owner@//db.example.com:1521/XEPDB1 @create-table.sql

-- `augur schema apply` does the same without SQL*Plus. For other names of table and columns: `augur schema print`.
WHENEVER OSERROR EXIT FAILURE
WHENEVER SQLERROR EXIT SQL.SQLCODE

-- Each file holds one PL/SQL block and no line with a slash, since drivers refuse that; so the slash stands here.
@@../../sql/oracle/create.sql
/

@@../../sql/oracle/image_create.sql
/

-- A file that is not found does not stop SQL*Plus; a table that is not there does.
SELECT * FROM URL_RESULT WHERE 1 = 0;
SELECT * FROM IMAGE_RESULT WHERE 1 = 0;
