#!/bin/sh
# Measures hits a second of 256 connections on 4 sessions of the stand-in for Oracle, whose round trips take 2 ms; fails
# below 10,000. Run it on a machine that does nothing else.
set -eu
cd "$(dirname "$0")/.."
exec cargo test --locked --test it -- --ignored --exact --nocapture \
    oracle::pool::hits_a_second_of_256_connections_on_4_sessions_with_round_trips_of_2_ms
