#!/usr/bin/env bash
# Measures augur between its neighbours: a bare handler of the same framework, and Python programs that do the same work.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/bench.sh [--quick] [--rounds N] [--seconds N] [--only REGEX] [--out FILE] [--list]

Builds augur and what it is held against, and loads one after the other, every row once a round; every second round goes
backwards. Writes medians, spreads, and ratios beside the wanted ones to a Markdown file, with a picture (SVG) and the
figures (a JSON object a line) beside it.

A row is CONTENDER/LOAD/CONNECTIONS. Contenders:
  bare          an actix handler that parses and answers the same JSON, no work
  sqlite        augur as shipped, its log in a file; durable (synchronous=FULL)
  cache         the same with the opt-in cache
  one           the same with lanes.max_batch = 1: what batching buys
  oracle-MS     augur on the stand-in for Oracle: round trips of MS milliseconds, commits of 1 ms more, 8 sessions
  flask         the Flask program (scripts/flask_program.py) on SQLite
  flask-oracle  the same with cx_Oracle on the stand-in, 1 ms
  fastapi       a better Python program (scripts/fastapi_program.py) on SQLite
Loads:
  hits          1,000 stored keys, closed loop (wrk)
  misses        every request a new key, predicted, stored, committed
  half          hits at half of the contender's peak, open loop (oha): a late request counts from when it was due
  batches       hits, 500 in each POST /urls
  pictures, new-pictures, storm
                forms with a picture of 20 KB: 100 known ones, new ones; hits with pauses, 32 connections, first alone and
                then while 16 others upload pictures of 6 million pixels

  --quick        2 rounds of 2 s, only the rows that have wanted figures: 2 minutes
  --rounds N     rounds (5)
  --seconds N    length of a row in each round (10)
  --only REGEX   only the rows that it is found in; ratios need their bare rows as well: 'bare|sqlite/hits'
  --out FILE     the report (target/bench/report.md)
  --list         prints the rows and ends

Needs wrk (Debian: apt-get install wrk), python3 with venv, cc and make; oha is installed into target/bench-tools, the
Python programs into target/bench-venv. scripts/bench/ has more: rows.sh, memory.sh, start.sh, reload.sh, score.sh,
replicas.sh.
TEXT
}

rows=(
    bare/hits/64 sqlite/hits/64 cache/hits/64 one/hits/64 sqlite/batches/64 sqlite/misses/64 one/misses/64
    flask/hits/64 flask/misses/64 flask-oracle/hits/64 flask-oracle/misses/64 fastapi/hits/64 fastapi/misses/64
    bare/hits/256 sqlite/hits/256 oracle-0/hits/256 oracle-0.3/hits/256 oracle-1/hits/256 oracle-5/hits/256
    oracle-0/misses/256 oracle-0.3/misses/256 oracle-1/misses/256 oracle-5/misses/256
    bare/hits/512 sqlite/hits/512
    bare/hits/1 sqlite/hits/1 oracle-1/hits/1
    bare/half/64 sqlite/half/64 cache/half/64 oracle-1/half/64
    bare/pictures/64 sqlite/pictures/64 sqlite/new-pictures/64 sqlite/storm/32
)
# The rows that the wanted figures are made of.
quick_rows=(
    bare/hits/64 sqlite/hits/64 cache/hits/64 sqlite/misses/64 one/misses/64 flask/hits/64 flask/misses/64
    bare/hits/256 oracle-1/hits/256 oracle-1/misses/256 sqlite/hits/512
    bare/hits/1 oracle-1/hits/1 bare/half/64 sqlite/half/64
)

quick='' rounds='' seconds='' only='' out='' list=''
while (($#)); do
    case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        --quick | --list)
            declare "${1#--}=1"
            shift
            ;;
        --seconds | --rounds | --only | --out)
            (($# >= 2)) || { echo "bench.sh: $1 needs a value" >&2; exit 2; }
            declare "${1#--}=$2"
            shift 2
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
done
if [[ -n $quick ]]; then
    rows=("${quick_rows[@]}")
    rounds=${rounds:-2}
    seconds=${seconds:-2}
fi
rounds=${rounds:-5}
seconds=${seconds:-10}
chosen=()
for row in "${rows[@]}"; do
    [[ ! $row =~ $only ]] || chosen+=("$row")
done
chosen_has() {
    printf '%s\n' "${chosen[@]}" | grep -E "$1" >/dev/null
}
if [[ -n $list ]]; then
    printf '%s\n' "${chosen[@]}"
    exit
fi
# A relative file is meant from where the caller stands, not from the project's folder.
[[ -z $out || $out == /* ]] || out=$PWD/$out

# shellcheck source=scripts/bench/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/bench/common.sh"
# shellcheck source=scripts/bench/tools.sh
source scripts/bench/tools.sh
# shellcheck source=scripts/bench/measure.sh
source scripts/bench/measure.sh
whole_number --seconds "$seconds"
whole_number --rounds "$rounds"
((${#chosen[@]})) || die "--only leaves no row"
out=${out:-$target/bench/report.md}
need wrk wrk

build
build_others
! chosen_has '^(flask|fastapi)' || install_python_programs
! chosen_has '^flask-oracle' || install_cx_oracle
! chosen_has /half/ || install_oha
for left in "${left_out[@]}"; do
    mapfile -t chosen < <(printf '%s\n' "${chosen[@]}" | grep -v "^${left%%:*}/" || true)
    echo "left out: $left" >&2
done

data_folder
! chosen_has '/(.*pictures|storm)/' || make_pictures
started=$SECONDS
for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    for ((i = 0; i < ${#chosen[@]}; i++)); do
        ((round % 2)) && at=$i || at=$((${#chosen[@]} - 1 - i))
        measure "${chosen[at]}"
    done
done

mkdir -p "$(dirname "$out")"
cp "$data/figures" "${out%.md}.jsonl"
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1 || true)
{
    echo "$(date -u +%F), ${cpu:-unknown processor}, $(getconf _NPROCESSORS_ONLN) cores shared with the load generator;" \
        "$rounds rounds of $seconds s a row, $((SECONDS - started)) s in all.$(python_versions)"
    echo
    "$python" scripts/bench/report.py "${out%.md}.jsonl" "${out%.md}.svg" "${left_out[@]}"
} >"$out"
cat "$out"
echo "written to $out, ${out%.md}.svg and ${out%.md}.jsonl" >&2
