#!/usr/bin/env bash
# Tries /docs/ as a newcomer does, in a headless Chromium, and takes the README's picture of it.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/docs-screenshot.sh [FILE]

Starts augur on an empty database, opens /docs/, presses "Try it out" and "Execute" on POST /url, checks the answer, and
takes a picture (docs/swagger-ui.png). Fails where the page has an error or asks another host for anything.

Needs Chromium (Debian: apt-get install chromium; or CHROMIUM=/path/to/it), node and npm; playwright-core is installed
into target/docs-browser.
TEXT
}

die() {
    echo "docs-screenshot.sh: $*" >&2
    exit 1
}

case ${1:-} in
    -h | --help)
        usage
        exit 0
        ;;
    -*)
        usage >&2
        exit 2
        ;;
esac
picture=${1:-docs/swagger-ui.png}
# A file given is meant from where the caller stands.
[[ -z ${1:-} || $picture == /* ]] || picture=$PWD/$picture

cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[[ -n $chromium ]] || die "there is no Chromium; Debian: apt-get install chromium"
command -v npm >/dev/null || die "there is no npm; Debian: apt-get install npm"

tools=$target/docs-browser
mkdir -p "$tools"
cp scripts/docs/* "$tools"
npm ci --prefix "$tools" --silent --no-audit --no-fund

cargo build --locked --quiet --bin augur
data=$(mktemp -d)
server=
stop() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$data"
}
trap stop EXIT
: >"$data/log"
"$target/debug/augur" serve --set 'server.listen=["127.0.0.1:0"]' --set "store.sqlite.path=$data/augur.db" 2>"$data/log" &
server=$!
address=
for _ in {1..200}; do
    address=$(sed -n 's|.*listening on \(http://[0-9.:]*\).*|\1|p' "$data/log")
    [[ -z $address ]] || break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
[[ -n $address ]] || die "augur does not start: $(<"$data/log")"

node "$tools/screenshot.mjs" "$chromium" "$address" "$picture"
