#!/usr/bin/env bash
# Checks everything: format, lints, documentation, SQL, then all tests, and ends with one line that counts them.
# Needs the Rust toolchain, cc and make; python3 with venv only for the SQL lint and the tests with Python clients; node and
# npm only for the lint of the OpenAPI document.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

# Without python3 or the network, what needs Python programs is left out, and the last lines name it. The folder holds a
# copy of the list that it was made from, put there when all of it was installed.
venv=target/venv
wanted=tests/clients/requirements.txt
no_python=""
if ! cmp -s "$wanted" "$venv/requirements.txt" || ! "$venv/bin/python" -c ''; then
    if ! command -v python3 >/dev/null; then
        no_python="there is no python3"
    elif ! python3 -m venv --clear "$venv"; then
        no_python="python3 makes no venv"
    elif ! timeout 300 "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"; then
        no_python="$wanted cannot be installed"
    else
        cp "$wanted" "$venv/requirements.txt"
    fi
fi

# The same for npm programs, from the list with all that they need.
npm=target/npm
wanted=tests/clients/package-lock.json
no_node=""
if ! cmp -s "$wanted" "$npm/installed" || ! command -v node >/dev/null; then
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        no_node="there is no node with npm"
    else
        mkdir -p "$npm"
        cp tests/clients/package.json "$wanted" "$npm/"
        if ! timeout 300 npm ci --prefix "$npm" --ignore-scripts --no-audit --no-fund --silent; then
            no_node="$wanted cannot be installed"
        elif ! "$npm/node_modules/.bin/spectral" --version >/dev/null; then
            no_node="node $(node --version) is too old"
        else
            cp "$wanted" "$npm/installed"
        fi
    fi
fi

# All tests are run, also after a failure: the count at the end is of all of them. Those with Python or npm programs are
# ignored by cargo; where they can be run, that is done by themselves, so that they do not count as skipped as well.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
by_themselves=()
if [[ -z $no_python ]]; then
    by_themselves+=(clients:: migration:: schemathesis::)
    "$venv/bin/sqlfluff" lint --disable-progress-bar sql/oracle
fi
[[ -n $no_node ]] || by_themselves+=(spectral::)
cargo test --workspace --locked --no-fail-fast -- "${by_themselves[@]/#/--skip=}" 2>&1 | tee "$log" || failed=1
if ((${#by_themselves[@]})); then
    AUGUR_TEST_PYTHON=$PWD/$venv/bin/python \
        cargo test --workspace --locked --test it -- --include-ignored "${by_themselves[@]}" 2>&1 | tee -a "$log" || failed=1
fi
grep -E '^test .* \.\.\. ignored' "$log" || true
[[ -z $no_python ]] || echo "sqlfluff lint sql/oracle ... skipped: $no_python"
[[ -z $no_node ]] || echo "spectral lint openapi.json ... skipped: $no_node"
awk '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
     END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$log"
exit "$failed"
