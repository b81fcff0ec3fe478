-- SQL*Plus, as a DBA: makes augur's owner, its tablespace, the result table, and the user that augur logs on as.
-- From 11.2 to 23ai. May be run again: what is there stays as it is, also passwords.

--   cd scripts/oracle
--   sqlplus -L system@//db.example.com:1521/XEPDB1
--   SQL> ACCEPT augur_owner_password CHAR PROMPT 'Password for the owner: ' HIDE
--   SQL> ACCEPT augur_password CHAR PROMPT 'Password for the run-time user: ' HIDE
--   SQL> @create-users.sql

-- From 12c on the users belong into a pluggable database: connect to its service, as above, or, connected to the root
-- with / AS SYSDBA, first ALTER SESSION SET CONTAINER = XEPDB1 (FREEPDB1 on Free). In the root CREATE USER fails with
-- ORA-65096. 11.2 has no containers: connect to XE.
WHENEVER OSERROR EXIT FAILURE
WHENEVER SQLERROR EXIT SQL.SQLCODE
-- VERIFY would print the lines with the passwords in them.
SET ECHO OFF VERIFY OFF DEFINE ON

DEFINE augur_owner = AUGUR_OWNER
DEFINE augur_user = AUGUR
DEFINE augur_tablespace = AUGUR_DATA
-- 4 GB hold some ten million results of ordinary URLs with their index.
DEFINE augur_limit = 4G

-- A tablespace and a QUOTA of its own. Whoever may call POST /url makes rows, one for each new URL, and XE and Free stop
-- every write in the whole database once all its data reach 12 GB (11 GB in 11.2): an open endpoint must not do that to
-- the company's other tables. At this limit augur alone gets ORA-01536 or ORA-01653; it then answers without storing.
DECLARE
    destination VARCHAR2(4000);
    folder VARCHAR2(4000);
    datafile VARCHAR2(4000);
BEGIN
    SELECT MAX(value) INTO destination FROM v$parameter WHERE name = 'db_create_file_dest';
    -- Where the database does not name its files itself, the new one goes beside those of SYSTEM.
    IF destination IS NULL THEN
        SELECT MAX(REGEXP_SUBSTR(file_name, '^.*[/\]')) INTO folder
        FROM dba_data_files
        WHERE tablespace_name = 'SYSTEM';
        datafile := '''' || folder || LOWER('&&augur_tablespace') || '01.dbf'' ';
    END IF;
    EXECUTE IMMEDIATE
        'CREATE TABLESPACE &&augur_tablespace DATAFILE ' || datafile
        || 'SIZE 64M AUTOEXTEND ON NEXT 64M MAXSIZE &&augur_limit';
EXCEPTION
    WHEN OTHERS THEN
        -- ORA-01543: it is there.
        IF SQLCODE != -1543 THEN
            RAISE;
        END IF;
END;
/

-- The owner of the table. augur does not log on as it; people do, for `augur schema apply`.
BEGIN
    EXECUTE IMMEDIATE q'[
        CREATE USER &&augur_owner IDENTIFIED BY "&&augur_owner_password"
        DEFAULT TABLESPACE &&augur_tablespace
        QUOTA &&augur_limit ON &&augur_tablespace]';
EXCEPTION
    WHEN OTHERS THEN
        -- ORA-01920: the user is there.
        IF SQLCODE != -1920 THEN
            RAISE;
        END IF;
END;
/
GRANT CREATE SESSION, CREATE TABLE TO &&augur_owner;

-- The user that augur logs on as: no quota and no CREATE of any kind, so a stolen password makes no tables.
BEGIN
    EXECUTE IMMEDIATE q'[
        CREATE USER &&augur_user IDENTIFIED BY "&&augur_password"
        DEFAULT TABLESPACE &&augur_tablespace]';
EXCEPTION
    WHEN OTHERS THEN
        IF SQLCODE != -1920 THEN
            RAISE;
        END IF;
END;
/
GRANT CREATE SESSION TO &&augur_user;

-- Its password. Oracle's DEFAULT profile lets a password expire after 180 days (ORA-28001) and locks an account for a
-- day after 10 refused logons (ORA-28000). augur stops logging on at the first refusal, so it does not lock itself out;
-- others who try the name can. Where the company's rules allow it, give the user a profile whose passwords are changed
-- by plan and not by date:
--   CREATE PROFILE augur_service LIMIT PASSWORD_LIFE_TIME UNLIMITED FAILED_LOGIN_ATTEMPTS 10 PASSWORD_LOCK_TIME 1/24;
--   ALTER USER augur PROFILE augur_service;

-- The tables, made by the DBA in the owner's schema and tablespace.
ALTER SESSION SET CURRENT_SCHEMA = &&augur_owner;
@@create-table.sql
ALTER SESSION SET CURRENT_SCHEMA = &_USER;

-- What POST /url and /classify need is SELECT and INSERT; UPDATE and DELETE are for results that are corrected or
-- forgotten. Leave them out where augur only predicts.
GRANT SELECT, INSERT, UPDATE, DELETE ON &&augur_owner..URL_RESULT TO &&augur_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON &&augur_owner..IMAGE_RESULT TO &&augur_user;

-- With the synonym store.table.name stays "URL_RESULT". Without it, set store.table.name = "AUGUR_OWNER.URL_RESULT".
CREATE OR REPLACE SYNONYM &&augur_user..URL_RESULT FOR &&augur_owner..URL_RESULT;
CREATE OR REPLACE SYNONYM &&augur_user..IMAGE_RESULT FOR &&augur_owner..IMAGE_RESULT;
