#!/usr/bin/env bash
# Run once by the database container of compose.yaml, as the operating-system user that may connect as SYS.
set -euo pipefail

if [[ ${1:-} == -h || ${1:-} == --help || -z ${AUGUR_PASSWORD:-} ]]; then
    echo "usage: AUGUR_PASSWORD=... container-init.sh   (inside the database container; see compose.yaml)" >&2
    exit 2
fi

# Nobody logs on as the owner here; 28 characters stay under Oracle 11.2's limit of 30.
owner_password=A$(tr -d - </proc/sys/kernel/random/uuid | cut -c 1-27)

cd /opt/augur/scripts/oracle
# Passwords go in on standard input: command lines can be read by every user of the machine.
sqlplus -s / as sysdba <<SQL
WHENEVER SQLERROR EXIT SQL.SQLCODE
ALTER SESSION SET CONTAINER = FREEPDB1;
DEFINE augur_owner_password = "$owner_password"
DEFINE augur_password = "$AUGUR_PASSWORD"
@create-users.sql
SQL
touch /opt/oracle/oradata/augur-is-set-up
