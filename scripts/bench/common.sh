# shellcheck shell=bash
# Sourced by scripts/bench.sh and the scripts beside this file: builds, starts and stops what is measured.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
[[ $target == /* ]] || target=$root/target

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

whole_number() {
    [[ $2 =~ ^[1-9][0-9]*$ ]] || die "$1 must be a whole number above 0"
}

# The interpreter itself: what PATH finds may be a slow wrapper.
python=$(python3 -c 'import sys; print(sys.executable)') ||
    die "python3 is missing; Debian and Ubuntu: apt-get install python3 python3-venv"

need() {
    command -v "$1" >/dev/null || die "$1 is missing; Debian and Ubuntu: apt-get install $2"
}

# The shipped default is what is measured: settings of the caller's shell do not count.
for variable in "${!AUGUR_@}"; do
    unset "$variable"
done

augur=$target/release/augur
bare=$target/release/bare_handler
standin=$target/release/examples/database
# the Python programs, see tools.sh
venv=$target/bench-venv

build() {
    echo "building" >&2
    cargo build --release --locked --quiet --package augur --bins
}

# What augur is held against, and the stand-in for Oracle: by themselves, so that augur gets no other features.
build_others() {
    cargo build --release --locked --quiet --package bare_handler
    cargo build --release --locked --quiet --package oci_standin --lib --example database
}

server=
loader=
storm=
data=
stop() {
    local process
    for process in $storm $loader $server; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    storm=
    loader=
    server=
}

# data_folder: makes `data`, which goes with everything in it when the script ends, also by Ctrl-C or SIGTERM.
# Under target, not in /tmp: that is memory on many machines, and a commit would cost nothing there.
data_folder() {
    mkdir -p "$target"
    data=$(mktemp -d "$target/bench-data.XXXXXX")
    trap 'stop; rm -rf "$data"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# standin_database FOLDER ROUND_TRIP_US COMMIT_US: makes it with its table where it is absent, and sets its times.
standin_database() {
    local fresh=
    [[ -e $1/standin.control ]] || fresh=1
    "$standin" "$@"
    if [[ -n $fresh ]]; then
        echo secret >"$1/password"
        oracle_settings "$1"
        "$augur" schema apply "${settings[@]}" >"$1/schema.log" 2>&1 || die "no table: $(tail -n 3 "$1/schema.log")"
    fi
}

# oracle_settings FOLDER: `settings` for augur on the stand-in there.
oracle_settings() {
    settings=(
        --set store.backend=oracle --set "store.oracle.connect_string=standin:$1" --set "store.oracle.client_lib_dir=$1"
        --set store.oracle.user=augur --set "store.oracle.password_file=$1/password" --set store.oracle.pool_size=8
    )
}

# start CONTENDER FOLDER [OPTION...]: runs it with its data and its log (or `log`) in the folder, augur with the options,
# and waits until it accepts connections.
start() {
    local contender=$1 folder=$2 settings=(--set "store.sqlite.path=$2/results.db")
    shift 2
    mkdir -p "$folder"
    port=$(free_port)
    case $contender in
        cache) settings+=(--set cache.max_entries=100000) ;;
        one) settings+=(--set lanes.max_batch=1) ;;
        oracle-*) oracle_settings "$folder" ;;
    esac
    case $contender in
        bare) exec "$bare" "$port" ;;
        flask) exec "$venv/bin/python" scripts/flask_program.py --port "$port" --database "$folder/results.db" ;;
        flask-oracle)
            exec "$venv/bin/python" scripts/flask_program.py --port "$port" --oracle "standin:$folder" --client "$folder"
            ;;
        fastapi) exec "$venv/bin/python" scripts/fastapi_program.py --port "$port" --database "$folder/results.db" ;;
        *) exec "$augur" serve --set "server.listen=[\"127.0.0.1:$port\"]" "${settings[@]}" "$@" ;;
    esac >"${log:-$folder/log}" 2>&1 & # a subshell: exec makes its id the server's
    server=$!
    for _ in {1..400}; do
        if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            return
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.025
    done
    tail -n 5 "${log:-$folder/log}" >&2
    die "$contender does not serve"
}

# rows_in FILE TABLE: how many rows an SQLite file's table has.
rows_in() {
    "$python" -c '
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT COUNT(*) FROM " + sys.argv[2]).fetchone()[0])' "$1" "$2"
}
