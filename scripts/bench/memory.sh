#!/usr/bin/env bash
# Private memory (RssAnon) at rest, at 512 connections, and over millions of requests, half of them new keys.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/bench/memory.sh [--millions N]

Builds augur and serves SQLite with the shipped settings, its log thrown away (it would be gigabytes). Prints its private
memory at rest, with 512 connections of hits, and once a million requests while wrk sends N million (20), half of them
new keys, over 64 connections. Fails where it is above 40 MB at rest or 120 MB at 512 connections, or where the last
quarter of the millions stands more than 5 % above the second.

  --millions N   4 or more; 10 million new keys take 2 GB under target

Needs wrk (Debian: apt-get install wrk) and python3.
TEXT
}

millions=20
# shellcheck source=scripts/bench/options.sh
source "$(dirname "${BASH_SOURCE[0]}")/options.sh"
number_options "millions" "$@"
((millions >= 4)) || { echo "memory.sh: --millions needs a whole number from 4" >&2; exit 2; }
# shellcheck source=scripts/bench/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need wrk wrk
build
data_folder
mkdir "$data/augur"
ln -s /dev/null "$data/augur/log"
start sqlite "$data/augur"
"$python" scripts/bench/preload.py "$port"

# drive OPTION...: prints one line of JSON.
drive() {
    "$python" scripts/bench/drive.py --pid "$server" --port "$port" --warm-up 0 "$@" >"$data/driven" &
    loader=$!
    wait "$loader" || die "the load failed"
    loader=
    cat "$data/driven"
}

drive --load hits --connections 512 --seconds 20 >"$data/many"
# wrk counts time, not requests: runs of 10 s until there are enough.
sent=0
while ((sent < millions * 1000000)); do
    drive --load mixed --seconds 10 >>"$data/runs"
    sent=$((sent + $(tail -n 1 "$data/runs" | sed 's/.*"requests": \([0-9]*\).*/\1/')))
    echo "$sent requests, $(tail -n 1 "$data/runs" | sed 's/.*"private_mb": \([0-9.]*\).*/\1/') MB" >&2
done
"$python" - "$data/many" "$data/runs" <<'PYTHON'
import json
import sys
from statistics import median

many = json.load(open(sys.argv[1], encoding="ascii"))
runs = [json.loads(line) for line in open(sys.argv[2], encoding="ascii")]
quarter = len(runs) // 4
early = median(run["private_mb"] for run in runs[quarter : 2 * quarter])
late = median(run["private_mb"] for run in runs[3 * quarter :])
print(f"at rest {many['rest_mb']:.1f} MB, wanted at most 40")
print(f"at 512 connections {many['private_mb']:.1f} MB, wanted at most 120")
print(f"over {sum(run['requests'] for run in runs):,} requests: {early:.1f} MB in the second quarter of the time,"
      f" {late:.1f} MB in the last, ratio {late / early:.3f}, wanted at most 1.05")
print(f"{sum(run['errors'] for run in [many, *runs])} errors")
sys.exit(many["rest_mb"] > 40 or many["private_mb"] > 120 or late / early > 1.05)
PYTHON
