#!/usr/bin/env python3
"""report.py FILE: the Markdown table of bench.sh, from lines of
`contender script requests microseconds p50 p99 errors`, one a row and round."""

import sys
from collections import defaultdict
from statistics import median

ROWS = {
    ("bare", "hits"): "bare actix handler",
    ("augur", "hits"): "augur, hits",
    ("augur", "batches"): "augur, hits in batches of 500",
    ("augur", "misses"): "augur, misses (durable)",
    ("flask", "hits"): "Flask program, hits",
    ("flask", "misses"): "Flask program, misses",
}

# URLs in a request
URLS = defaultdict(lambda: 1, {"batches": 500})
# The Flask program has no batches: its hits are what those are held against.
FLASK_ROW = defaultdict(lambda: "hits", {"misses": "misses"})


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
    for row, name in ROWS.items():
        _, p50, p99, errors = zip(*rounds[row])
        # The bare handler does no work, so there is no Flask row to hold it against.
        flask = "" if row[0] == "bare" else f"{rate[row] / rate['flask', FLASK_ROW[row[1]]]:.1f}"
        print(
            f"| {name} | {rate[row]:,.0f} | {median(p50):.2f} | {median(p99):.2f} "
            f"| {rate[row] / rate['bare', 'hits']:.3f} | {flask} | {sum(errors)} |"
        )


main()
