#!/bin/sh
# Rebuilds models/url-default.augur, the model inside the binary.
#
#   scripts/train-default-model.sh DATA_FOLDER
#
# DATA_FOLDER holds train.csv and valid.csv (columns url,result). The same data gives the same content hash, which is the
# second half of the printed version; only the time before it differs. Rebuild the program afterwards.
set -eu

if [ $# -ne 1 ] || [ ! -f "$1/train.csv" ] || [ ! -f "$1/valid.csv" ]; then
    echo "usage: $0 DATA_FOLDER (with train.csv and valid.csv)" >&2
    exit 2
fi
data=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."

cargo run --release --locked -- train \
    --data "$data/train.csv" --valid "$data/valid.csv" --seed 0 --out models/url-default.augur \
    --report target/url-default.html
