#!/usr/bin/env bash
# What replicas cost and share: several augur processes on one database, against one with as many sessions.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/bench/replicas.sh [--replicas N] [--seconds N] [--rounds N]

Builds augur and the stand-in for Oracle (round trips and commits of 1 ms), and drives hits and misses with 256 connections
in all: by turns on one process with 8 sessions, and on N processes that share the database and the 8 sessions. Prints
rates and CPU time; fails where a miss that was answered is not stored once. On one machine the processes share its cores:
what is measured is what more processes cost, not what more machines give.

  --replicas N  processes: 2, 4 or 8 (4)
  --seconds N   length of each run (5)
  --rounds N    runs of each kind (3)

Needs wrk (Debian: apt-get install wrk) and python3.
TEXT
}

readonly sessions=8 connections=256
replicas=4 seconds=5 rounds=3
# shellcheck source=scripts/bench/options.sh
source "$(dirname "${BASH_SOURCE[0]}")/options.sh"
number_options "replicas seconds rounds" "$@"
# shellcheck source=scripts/bench/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
((replicas > 1 && sessions % replicas == 0)) || die "--replicas must be 2, 4 or 8"
need wrk wrk
build
build_others
data_folder
servers=() loaders=()
end() {
    local process
    for process in "${loaders[@]}" "${servers[@]}"; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    servers=() loaders=()
}
trap 'end; stop; rm -rf "$data"' EXIT

folder=$data/oracle
mkdir "$folder"
standin_database "$folder" 0 0

# run LOAD COUNT: starts the processes, loads all at once, and keeps the figures of each.
run() {
    local load=$1 count=$2 ports=() at
    for ((at = 0; at < count; at++)); do
        log=$folder/log.$at start oracle-1 "$folder" --set "store.oracle.pool_size=$((sessions / count))"
        servers+=("$server")
        ports+=("$port")
        server=
    done
    if [[ ! -e $folder/preloaded ]]; then
        standin_database "$folder" 0 0
        "$python" scripts/bench/preload.py "${ports[0]}"
        touch "$folder/preloaded"
    fi
    standin_database "$folder" 1000 1000
    for ((at = 0; at < count; at++)); do
        "$python" scripts/bench/drive.py --pid "${servers[at]}" --port "${ports[at]}" --load "$load" --threads "$((replicas / count))" \
            --connections "$((connections / count))" --seconds "$seconds" >"$data/driven.$at" &
        loaders+=("$!")
    done
    for at in "${!loaders[@]}"; do
        wait "${loaders[at]}" || die "the load failed; the server's last words: $(tail -n 3 "$folder/log.$at")"
        echo "{\"load\": \"$load\", \"processes\": $count, \"round\": $round, $(sed 's/^{//' "$data/driven.$at")" >>"$data/figures"
    done
    end
}

for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    for load in hits misses; do
        # by turns first, for the table grows
        if ((round % 2)); then
            run "$load" 1
            run "$load" "$replicas"
        else
            run "$load" "$replicas"
            run "$load" 1
        fi
    done
done
"$python" - "$data/figures" "$(rows_in "$folder/standin.sqlite" url_result)" <<'PYTHON'
import json
import sys
from collections import defaultdict
from statistics import median

runs = defaultdict(lambda: defaultdict(list))
answered = 0
for line in open(sys.argv[1], encoding="ascii"):
    figures = json.loads(line)
    runs[figures["load"], figures["processes"]][figures["round"]].append(figures)
    answered += figures["requests_with_warm_up"] if figures["load"] == "misses" else 0
rates = {}
for (load, processes), rounds in sorted(runs.items()):
    rates[load, processes] = [sum(each["per_s"] for each in members) for members in rounds.values()]
    cpu_us = median(
        sum(each["cpu_s_per_10k"] * each["requests"] for each in members) / sum(each["requests"] for each in members) * 100
        for members in rounds.values()
    )
    rate = rates[load, processes]
    p99_ms = median(max(each["p99_ms"] for each in members) for members in rounds.values())
    errors = sum(each["errors"] for members in rounds.values() for each in members)
    print(f"{load:6} {processes} process(es): {median(rate):,.0f} a second ({min(rate):,.0f} to {max(rate):,.0f}),"
          f" {cpu_us:.1f} us CPU each, p99 {p99_ms:.2f} ms, {errors} errors")
for load in ("hits", "misses"):
    one, many = (rates[key] for key in sorted(rates) if key[0] == load)
    print(f"{load}: the processes together reach {median(b / a for a, b in zip(one, many)):.2f} of the one")
stored = int(sys.argv[2]) - 1000  # those of the hits
print(f"{stored:,} rows are stored after {answered:,} answered misses")
sys.exit(stored < answered)
PYTHON
