#!/usr/bin/env bash
# Runs the store's contract against a live Oracle database, and what only a real one can tell: one round trip for a hit
# (v$mystat), an INDEX UNIQUE SCAN without SYS_OP_C2C (dbms_xplan). Every test makes a table of its own under a random
# name and drops it.
#
#   AUGUR_TEST_ORACLE=user/password@//db.example.com:1521/XEPDB1 scripts/test-oracle-live.sh [more arguments of the tests]
#
# The user needs CREATE SESSION, CREATE TABLE and a quota, and SELECT_CATALOG_ROLE for the views above.
# AUGUR_TEST_ORACLE_CLIENT names the folder of the client library where the system's search does not find it.
set -euo pipefail
cd "$(dirname "$0")/.."

# The value holds a password: it is never shown.
case ${AUGUR_TEST_ORACLE:-} in
    ?*/?*@?*) ;;
    *)
        echo "set AUGUR_TEST_ORACLE=user/password@dsn, such as dsn //localhost:1521/XEPDB1" >&2
        exit 2
        ;;
esac
# Few at a time: each test holds a handful of sessions, and the small editions take a hundred in all.
exec cargo test --locked --test it contract::oracle_live:: -- --ignored --test-threads=2 "$@"
