#!/usr/bin/env python3
"""report.py FILE: the Markdown table of bench.sh, from lines of
`contender script requests microseconds p50 p99 errors`, one a row and round."""

import sys
from collections import defaultdict
from statistics import median

# Each row's name, and what it is held against, where there is something like it.
BARE, BARE_PICTURES = ("bare", "hits"), ("bare", "pictures")
ROWS = {
    ("bare", "hits"): ("bare actix handler", BARE),
    ("augur", "hits"): ("augur, hits", BARE),
    ("augur", "batches"): ("augur, hits in batches of 500", BARE),
    ("augur", "misses"): ("augur, misses (durable)", BARE),
    ("flask", "hits"): ("Flask program, hits", BARE),
    ("flask", "misses"): ("Flask program, misses", BARE),
    ("bare", "pictures"): ("bare handler, 20 KB pictures", BARE_PICTURES),
    ("augur", "pictures"): ("augur, picture hits", BARE_PICTURES),
    ("augur", "new-pictures"): ("augur, picture misses (durable)", BARE_PICTURES),
    ("augur", "paced"): ("augur, hits with pauses", None),
    ("augur", "storm-hits"): ("augur, the same in a storm of pictures", None),
    ("augur", "storm"): ("augur, the storm: pictures of 6 million pixels", None),
}

# URLs in a request
URLS = defaultdict(lambda: 1, {"batches": 500})
# The Flask program has no batches: its hits are what those are held against.
FLASK_ROW = {"batches": "hits"}


def main():
    rounds = defaultdict(list)
    with open(sys.argv[1], encoding="ascii") as lines:
        for line in lines:
            contender, script, *figures = line.split()
            requests, duration, p50, p99, errors = map(int, figures)
            rounds[contender, script].append((requests * URLS[script] / duration * 1e6, p50 / 1e3, p99 / 1e3, errors))

    rate = {row: median(figures[0] for figures in of_row) for row, of_row in rounds.items()}
    print("| | URLs/s | p50 ms | p99 ms | of bare | times Flask | errors |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for row, (name, bare) in ROWS.items():
        _, p50, p99, errors = zip(*rounds[row])
        of_bare = f"{rate[row] / rate[bare]:.3f}" if bare else ""
        # The bare handler does no work, and the Flask program knows no pictures.
        peer = ("flask", FLASK_ROW.get(row[1], row[1]))
        flask = f"{rate[row] / rate[peer]:.1f}" if row[0] != "bare" and peer in rate else ""
        print(
            f"| {name} | {rate[row]:,.0f} | {median(p50):.2f} | {median(p99):.2f} "
            f"| {of_bare} | {flask} | {sum(errors)} |"
        )


main()
