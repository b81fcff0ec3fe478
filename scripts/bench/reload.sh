#!/usr/bin/env bash
# Latency of requests while the model is swapped again and again, against the same load in quiet.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/bench/reload.sh [--seconds N] [--swaps-per-s N]

Builds augur, serves a folder with two versions of the model, and drives with wrk, in quiet and while `live` is
rewritten and SIGHUP sent:
  hits    1,000 stored keys, 32 connections with pauses
  misses  every request a new key, predicted and stored, 16 connections

Prints both p99, their ratio, and the errors; fails where there was an error or the ratio is above 1.5.

  --seconds N       length of each of the four runs (10)
  --swaps-per-s N   swaps a second (10)

Needs wrk (Debian: apt-get install wrk) and python3.
TEXT
}

seconds=10
swaps_per_s=10
# shellcheck source=scripts/bench/options.sh
source "$(dirname "${BASH_SOURCE[0]}")/options.sh"
number_options "seconds swaps-per-s" "$@"
# shellcheck source=scripts/bench/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need wrk wrk
build
data_folder
swapper=
trap 'kill $swapper 2>/dev/null || true; stop; rm -rf "$data"' EXIT

export AUGUR__MODELS__URL__PATH=$data/models
mkdir "$data/models"
"$augur" train --data tests/data/urls.csv --out "$data/other.augur" >/dev/null
for file in models/url-default.augur "$data/other.augur"; do
    "$augur" model add "$file" >/dev/null
done
mapfile -t versions < <("$augur" model list | sed 's/.*@//')
"$augur" model activate "${versions[0]}" >/dev/null

start sqlite "$data"
"$python" scripts/bench/preload.py "$port"

# As `augur model activate` writes it, without processes of its own, which would take the cores from the server.
swap_for_ever() {
    exec "$python" - "$data/models" "$swaps_per_s" "$server" "${versions[@]}" <<'PYTHON'
import itertools
import os
import signal
import sys
import time

models, swaps_per_s, server, *versions = sys.argv[1:]
for version in itertools.cycle(versions):
    time.sleep(1 / float(swaps_per_s))
    with open(f"{models}/.next", "w", encoding="ascii") as file:
        file.write(version + "\n")
    os.replace(f"{models}/.next", f"{models}/live")
    os.kill(int(server), signal.SIGHUP)
PYTHON
}

# load SCRIPT CONNECTIONS: requests, microseconds, p50, p99, errors.
load() {
    wrk --threads 2 --connections "$2" --duration "${seconds}s" --timeout 30s --script "scripts/bench/$1.lua" \
        "http://127.0.0.1:$port" -- "$(date +%s%N)" | sed -n 's/^FIGURES //p'
}

declare -A figures
for state in quiet swapping; do
    if [[ $state == swapping ]]; then
        swap_for_ever &
        swapper=$!
    fi
    figures[hits-$state]=$(PAUSE_MS=10 load hits 32)
    figures[misses-$state]=$(load misses 16)
done
swaps=$(grep -c 'answers from now on' "$data/log" || true)
echo "$swaps swaps in $((2 * seconds)) s"
"$python" - "${figures[hits-quiet]}" "${figures[hits-swapping]}" "${figures[misses-quiet]}" "${figures[misses-swapping]}" <<'PYTHON'
import sys

rows = [[int(word) for word in line.split()] for line in sys.argv[1:]]
good = True
for name, quiet, swapping in (("hits", *rows[:2]), ("misses", *rows[2:])):
    ratio = swapping[3] / quiet[3]
    errors = quiet[4] + swapping[4]
    good = good and ratio <= 1.5 and errors == 0
    print(f"{name:6}  p99 {quiet[3] / 1000:.2f} ms quiet, {swapping[3] / 1000:.2f} ms while swapping,"
          f" ratio {ratio:.2f}; {quiet[0]} and {swapping[0]} requests, {errors} errors")
sys.exit(not good)
PYTHON
