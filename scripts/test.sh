#!/usr/bin/env bash
# Checks everything: format, lints, documentation, SQL, then all tests, and ends with one line that counts them.
# Needs the Rust toolchain, cc and make; python3 only for the SQL lint.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

# The SQL lint is a Python program. Without python3 or the network it is left out, and the last lines say so.
sqlfluff=target/venv/bin/sqlfluff
sqlfluff_version=4.5.0
lint_skipped=""
if [[ "$("$sqlfluff" --version 2>/dev/null)" != "sqlfluff, version $sqlfluff_version" ]]; then
    if ! command -v python3 >/dev/null; then
        lint_skipped="there is no python3"
    elif ! python3 -m venv --clear target/venv || ! timeout 300 target/venv/bin/pip install --quiet --disable-pip-version-check \
        "sqlfluff==$sqlfluff_version"; then
        lint_skipped="sqlfluff $sqlfluff_version cannot be installed"
    fi
fi
if [[ -z $lint_skipped ]]; then
    "$sqlfluff" lint --disable-progress-bar sql/oracle
fi

# All tests are run, also after a failure: the count at the end is of all of them.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
cargo test --workspace --locked --no-fail-fast 2>&1 | tee "$log" || failed=1
grep -E '^test .* \.\.\. ignored' "$log" || true
[[ -z $lint_skipped ]] || echo "sqlfluff lint sql/oracle ... skipped: $lint_skipped"
awk '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
     END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$log"
exit "$failed"
