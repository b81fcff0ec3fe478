#!/usr/bin/env bash
# Checks everything: format, lints, documentation, SQL, then all tests, and ends with one line that counts them.
# Needs the Rust toolchain, cc and make; python3 only for the SQL lint.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

# All tests are run, also after a failure: the count at the end is of all of them.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
cargo test --workspace --locked --no-fail-fast 2>&1 | tee "$log" || failed=1
grep -E '^test .* \.\.\. ignored' "$log" || true
awk '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
     END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$log"
exit "$failed"
