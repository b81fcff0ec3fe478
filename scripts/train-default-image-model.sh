#!/bin/sh
# Rebuilds models/image-default.augur, the classifier of handwritten digits inside the binary.
#
#   scripts/train-default-image-model.sh
#
# The digits are those that smartcore bundles; examples/digits.rs draws them. The same digits give the same content hash,
# which is the second half of the printed version; only the time before it differs. Ends with the figures of the model
# card. Rebuild the program afterwards.
set -eu
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cargo run --release --locked --example digits -- "$folder"
cargo build --release --locked --bin augur
augur=${CARGO_TARGET_DIR:-target}/release/augur
"$augur" train --images "$folder/train" --valid "$folder/plain" --channels ink --size 12 --algorithm knn --seed 0 \
    --out models/image-default.augur
echo "held aside, as ordinary pictures:"
"$augur" evaluate --images "$folder/ordinary" --model models/image-default.augur
