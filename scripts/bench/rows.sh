#!/usr/bin/env bash
# What a large table costs: hits a second with 10,000,000 rows against 10,000.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/bench/rows.sh [--rows N] [--seconds N] [--rounds N]

Builds augur, fills an SQLite table with 10,000 rows and one with N (10000000; 1.6 GB under target), and drives hits on
random ones of all their keys with wrk, 64 connections, by turns. Prints the medians and the ratio; fails where it is
below 0.85.

  --rows N      rows of the large table
  --seconds N   length of each run (10)
  --rounds N    runs on each table (5)

Needs wrk (Debian: apt-get install wrk) and python3.
TEXT
}

rows=10000000 seconds=10 rounds=5
# shellcheck source=scripts/bench/options.sh
source "$(dirname "${BASH_SOURCE[0]}")/options.sh"
number_options "rows seconds rounds" "$@"
# shellcheck source=scripts/bench/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need wrk wrk
build
data_folder

# fill ROWS: through the table that augur makes, in the order of the keys, which is that of the b-tree.
fill() {
    start sqlite "$data/$1"
    stop
    "$python" - "$data/$1/results.db" "$1" <<'PYTHON'
import sqlite3
import sys

MODEL = "url@20261123T150102Z-0123456789ab"
rows = int(sys.argv[2])
database = sqlite3.connect(sys.argv[1])
# What is lost in a crash is filled again.
database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000")
database.executemany(
    "INSERT INTO URL_RESULT (URL, RESULT, MODEL) VALUES (?, ?, ?)",
    ((f"http://row-{i:010d}.example.com/shop/item?category=books&page=1", i / rows, MODEL) for i in range(rows)),
)
database.commit()
database.execute("PRAGMA journal_mode = WAL")
PYTHON
}

for count in 10000 "$rows"; do
    echo "filling $count rows" >&2
    fill "$count"
done
for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    for count in 10000 "$rows"; do
        start sqlite "$data/$count"
        # The warm-up is long enough to bring much of the table into memory.
        KEYS=$count "$python" scripts/bench/drive.py --pid "$server" --port "$port" --load rows --seconds "$seconds" \
            --warm-up "$seconds" >"$data/driven" &
        loader=$!
        wait "$loader" || die "the load failed: $(tail -n 3 "$data/$count/log")"
        loader=
        stop
        (($(rows_in "$data/$count/results.db" URL_RESULT) == count)) || die "some of the requests were misses"
        echo "$count $(<"$data/driven")" >>"$data/figures"
    done
done
echo "the large table takes $(($(stat -c %s "$data/$rows/results.db") / 1000000)) MB"
"$python" - "$data/figures" "$rows" <<'PYTHON'
import json
import sys
from statistics import median

runs = {}
for line in open(sys.argv[1], encoding="ascii"):
    count, figures = line.split(" ", 1)
    runs.setdefault(int(count), []).append(json.loads(figures))
for count, of_count in runs.items():
    rates = [run["per_s"] for run in of_count]
    print(f"{count:>11,} rows: {median(rates):,.0f} hits/s ({min(rates):,.0f} to {max(rates):,.0f}),"
          f" p99 {median(run['p99_ms'] for run in of_count):.2f} ms, {sum(run['errors'] for run in of_count)} errors")
small, large = (runs[count] for count in (10000, int(sys.argv[2])))
ratios = [b["per_s"] / a["per_s"] for a, b in zip(small, large)]
print(f"ratio {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}), wanted at least 0.85")
sys.exit(median(ratios) < 0.85)
PYTHON
