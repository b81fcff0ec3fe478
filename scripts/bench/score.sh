#!/usr/bin/env bash
# How fast `augur score` works off a file: alone, and through an SQLite table against bare batched inserts of the same rows.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/bench/score.sh [--rows N] [--rounds N]

Builds augur, makes a CSV file of N different URLs, and by turns scores it alone (--no-store), scores it through an empty
SQLite table (each row looked up, predicted, inserted and committed in batches of 1,000), and inserts the same rows with
Python's sqlite3 into an empty table, 1,000 a commit, with augur's settings (WAL, synchronous=FULL) and a checkpoint each
4,000 pages, which augur leaves to a thread. Prints medians and the ratio; fails where it is below 0.6.

  --rows N      rows of the file (500000)
  --rounds N    (3)

Needs python3.
TEXT
}

rows=500000 rounds=3
# shellcheck source=scripts/bench/options.sh
source "$(dirname "${BASH_SOURCE[0]}")/options.sh"
number_options "rows rounds" "$@"
# shellcheck source=scripts/bench/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
build
data_folder
"$python" - "$data" "$augur" "$rows" "$rounds" <<'PYTHON'
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

folder, augur, rows, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
MODEL = "url@20261123T150102Z-0123456789ab"
BATCH = 1000
# hosts spread over the b-tree, as those of real URLs are
urls = [f"http://{i * 2654435761 % 2**32:08x}.example.com/shop/item?category=books&id={i}" for i in range(rows)]
(folder / "urls.csv").write_text("url\n" + "\n".join(urls) + "\n", encoding="ascii")


def empty(name):
    for left in folder.glob(name + "*"):
        left.unlink()


def score(*options):
    empty("scored")
    command = [augur, "score", "--in", folder / "urls.csv", "--out", folder / "scored.csv"]
    command += ["--set", f"store.sqlite.path={folder / 'score.db'}", *options]
    before = os.times()
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.monotonic() - started, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    with open(folder / "scored.csv", encoding="ascii") as scored:
        if sum(1 for _ in scored) != rows + 1:
            sys.exit("score.sh: a row is missing")
    return rows / seconds, rows / cpu


def through():
    empty("score.db")
    subprocess.run([augur, "schema", "apply", "--set", f"store.sqlite.path={folder / 'score.db'}"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return score()


def bare_inserts():
    empty("bare.db")
    database = sqlite3.connect(folder / "bare.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA wal_autocheckpoint = 4000")
    database.executescript(Path("sql/sqlite/create.sql").read_text(encoding="ascii"))
    started = time.monotonic()
    for at in range(0, rows, BATCH):
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO URL_RESULT (URL, RESULT, MODEL) VALUES (?, ?, ?)",
                             ((url, i / rows, MODEL) for i, url in enumerate(urls[at : at + BATCH], at)))
        database.execute("COMMIT")
    return rows / (time.monotonic() - started)


runs = [(score("--no-store"), through(), bare_inserts()) for _ in range(rounds)]
print(f"alone: {median(run[0][0] for run in runs):,.0f} rows a second, {median(run[0][1] for run in runs):,.0f} a second of CPU")
print(f"through an empty table: {median(run[1][0] for run in runs):,.0f} rows a second")
print(f"bare inserts of the same rows: {median(run[2] for run in runs):,.0f} a second")
size = (folder / "score.db").stat().st_size
print(f"the table takes {size / rows:.0f} bytes a row, of which the URL has {sum(map(len, urls)) / rows:.0f}")
ratios = [run[1][0] / run[2] for run in runs]
print(f"ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), wanted at least 0.6")
sys.exit(median(ratios) < 0.6)
PYTHON
