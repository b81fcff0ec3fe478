#!/usr/bin/env bash
# Measures augur between its two neighbours: a bare handler of the same framework, and the documents' Flask program.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/bench.sh [--seconds N] [--rounds N] [--out FILE]

Builds augur and a bare actix handler, and drives with wrk, one after the other in each round:
  bare handler   parses and answers the same JSON, no work
  augur hits     1,000 stored keys
  augur batches  the same, 500 in each POST /urls
  augur misses   every request a new key, predicted, stored, committed to disk
  Flask hits     the documents' program (scripts/flask_program.py), likewise
  Flask misses
  pictures       a form with a picture of 20 KB: the bare handler, 100 known ones, new ones
  storm          hits with pauses, 32 connections, first alone and then while 16 others upload pictures of 6 million pixels

Each other row has 64 connections. What decoding and predicting cost by themselves is measured first. The table of medians goes to standard output and to a file.

  --seconds N   length of a row in each round (10)
  --rounds N    rounds (3)
  --out FILE    the table (target/bench.md)

Needs wrk (Debian: apt-get install wrk) and python3 with venv; Flask is installed into target/bench-venv.
TEXT
}

die() {
    echo "bench.sh: $*" >&2
    exit 1
}

whole_number() {
    [[ $2 =~ ^[1-9][0-9]*$ ]] || die "$1 must be a whole number above 0"
}

seconds=10
rounds=3
out=
while (($#)); do
    case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        --seconds | --rounds | --out)
            (($# >= 2)) || die "$1 needs a value"
            declare "${1#--}=$2"
            shift 2
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
done
whole_number --seconds "$seconds"
whole_number --rounds "$rounds"
# A relative file is meant from where the caller stands, not from the project's folder.
[[ -z $out || $out == /* ]] || out=$PWD/$out

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
[[ $target == /* ]] || target=$root/$target
out=${out:-$target/bench.md}
readonly connections=64 threads=2

command -v wrk >/dev/null || die "wrk is missing; Debian and Ubuntu: apt-get install wrk"
command -v python3 >/dev/null || die "python3 is missing; Debian and Ubuntu: apt-get install python3 python3-venv"

# The shipped default is what is measured: settings of the caller's shell do not count.
for variable in "${!AUGUR_@}"; do
    unset "$variable"
done

echo "building" >&2
# The bare handler's file name holds a hash; cargo tells it.
bare=$(cargo build --release --locked --quiet --bin augur --bench bare_handler --message-format=json-render-diagnostics |
    python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "bare_handler":
        print(message["executable"])')
augur=$target/release/augur
[[ -x $bare && -x $augur ]] || die "cargo built no augur or no bare_handler"

venv=$target/bench-venv
if [[ ! -x $venv/bin/flask ]]; then
    echo "installing Flask" >&2
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check flask
fi

echo "measuring what decoding costs" >&2
# criterion's lines: NAME time: [LOW UNIT MEAN UNIT HIGH UNIT]
decoding=$(cargo bench --locked --quiet --bench pictures -- --quick 2>/dev/null |
    awk -F ' *time: *[[]' 'NF == 2 { split($2, figure, " ")
                                     printf "%s%s %s %s", sep, $1, figure[3], figure[4]; sep = "; " }')
[[ -n $decoding ]] || die "cargo bench --bench pictures tells nothing"

# Under target, not in /tmp: that is memory on many machines, and a commit would cost nothing there.
data=$(mktemp -d "$target/bench.XXXXXX")
server=
stop() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    fi
}
trap 'stop; rm -rf "$data"' EXIT # bash runs it on Ctrl-C and SIGTERM as well

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start CONTENDER FOLDER: runs it with its data and its log in the folder, and waits until it accepts connections.
start() {
    local contender=$1 folder=$2
    mkdir -p "$folder"
    port=$(free_port)
    case $contender in
        bare) exec "$bare" "$port" ;;
        augur)
            exec "$augur" serve --set "server.listen=[\"127.0.0.1:$port\"]" --set "store.sqlite.path=$folder/results.db"
            ;;
        flask) exec "$venv/bin/python" scripts/flask_program.py --port "$port" --database "$folder/results.db" ;;
    esac >"$folder/log" 2>&1 & # a subshell: exec makes its id the server's
    server=$!
    for _ in {1..200}; do
        if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            return
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    tail -n 5 "$folder/log" >&2
    die "$contender does not serve"
}

# 20 KB, and six million pixels in 3 MB.
python3 scripts/bench/picture.py 184 184 "$data/small.png"
python3 scripts/bench/picture.py 3000 2000 "$data/large.png"
readonly known_pictures=100

# load SCRIPT SECONDS THREADS CONNECTIONS: prints wrk's line of figures.
load() {
    local report
    # The time tells this run's new keys from those of others.
    report=$(wrk --threads "$3" --connections "$4" --duration "${2}s" --timeout 30s \
        --script "scripts/bench/$1.lua" "http://127.0.0.1:$port" -- "$(date +%s%N)")
    grep '^FIGURES ' <<<"$report" || die "wrk failed: $report"
}

# drive ROW SECONDS: the load of a row.
drive() {
    case $1 in
        hits | batches | misses) load "$1" "$2" "$threads" "$connections" ;;
        pictures) KEYS=$known_pictures PICTURE=$data/small.png load pictures "$2" "$threads" "$connections" ;;
        new-pictures) PICTURE=$data/small.png load pictures "$2" "$threads" "$connections" ;;
        paced) PAUSE_MS=10 load hits "$2" "$threads" 32 ;;
        storm) PICTURE=$data/large.png load pictures "$2" 1 16 ;;
    esac
}

# stored FOLDER TABLE: rows in the table of augur or of the Flask program.
stored() {
    python3 -c '
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT COUNT(*) FROM " + sys.argv[2]).fetchone()[0])' "$1/results.db" "$2"
}

# measure CONTENDER ROW: one row of one round.
measure() {
    local contender=$1 row=$2 folder figures
    folder=$data/$contender-$row
    # Misses begin with an empty table in each round; hits keep their rows.
    [[ $row != *misses && $row != new-* ]] || rm -rf "$folder"
    start "$contender" "$folder"
    case $row in
        hits | batches | storm) python3 scripts/bench/preload.py "$port" ;;
        pictures) drive "$row" 1 >/dev/null ;; # each of them once, at least
    esac
    if [[ $row == storm ]]; then
        measure_storm
        stop
        return
    fi
    drive "$row" 1 >/dev/null # warm-up
    figures=$(drive "$row" "$seconds")
    stop
    # A miss that is not in the table afterwards would be a hit, or a lost write, that was counted as one.
    local requests rows
    requests=$(cut -d ' ' -f 2 <<<"$figures")
    case $contender-$row in
        *-misses) rows=$(stored "$folder" url_result) ;;
        augur-new-pictures) rows=$(stored "$folder" image_result) ;;
        *) rows=$requests ;;
    esac
    ((rows >= requests)) || die "$contender answered $requests misses but holds only $rows rows"
    if [[ $contender-$row == augur-pictures ]] && (($(stored "$folder" image_result) != known_pictures)); then
        die "the pictures that should be known are not, or not all of them"
    fi
    echo "$contender $row ${figures#FIGURES }" >>"$data/figures"
}

# Hits alone, then the same under a storm of pictures; the storm begins a second before and ends after.
measure_storm() {
    local alone under storm
    drive paced 1 >/dev/null
    alone=$(drive paced "$seconds")
    drive storm "$((seconds + 3))" >"$data/storm" &
    storm=$!
    sleep 1
    under=$(drive paced "$seconds")
    wait "$storm"
    {
        echo "augur paced ${alone#FIGURES }"
        echo "augur storm-hits ${under#FIGURES }"
        sed 's/^FIGURES /augur storm /' "$data/storm"
    } >>"$data/figures"
}

for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    measure bare hits
    measure augur hits
    measure augur batches
    measure augur misses
    measure flask hits
    measure flask misses
    measure bare pictures
    measure augur pictures
    measure augur new-pictures
    measure augur storm
done

mkdir -p "$(dirname "$out")"
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1 || true)
{
    echo "$(date -u +%F), ${cpu:-unknown processor}, $(getconf _NPROCESSORS_ONLN) cores shared with wrk;" \
        "$connections connections, $seconds s a row, median of $rounds."
    echo
    python3 scripts/bench/report.py "$data/figures"
    echo
    echo "Decoding and predicting alone: $decoding."
} | tee "$out"
echo "written to $out" >&2
