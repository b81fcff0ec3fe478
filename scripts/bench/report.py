#!/usr/bin/env python3
"""report.py FIGURES.jsonl PICTURE.svg [LEFT_OUT...]: the report of bench.sh on standard output, and its picture.

A line of figures is what drive.py tells of one row in one round. Ratios are taken inside each round, between rows that
were measured near each other; then come their median and their spread.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

import chart
from wanted import WANTED

CONTENDERS = {
    "bare": "bare actix handler",
    "sqlite": "augur",
    "cache": "augur, cache on",
    "one": "augur, lanes.max_batch 1",
    "flask": "Flask",
    "flask-oracle": "Flask, cx_Oracle 1 ms",
    "fastapi": "FastAPI",
}
LOADS = {
    "half": "half of peak",
    "batches": "hits in batches of 500",
    "pictures": "known pictures",
    "new-pictures": "new pictures",
    "paced": "hits with pauses",
    "storm-hits": "the same in a storm",
    "storm": "the storm, pictures of 6 Mpx",
}
URLS = {"batches": 500}  # in a request
CALL = "call"  # no row: what one call of the stand-in took


class Figures:
    """What was measured: by row, then by round."""

    def __init__(self, path):
        self.rows = defaultdict(dict)
        for line in Path(path).read_text(encoding="ascii").splitlines():
            figures = json.loads(line)
            if figures["row"] != CALL:
                urls = URLS.get(figures["row"].split("/")[1], 1)
                figures["per_s"] *= urls
                figures["cpu_s_per_10k"] /= urls
            self.rows[figures["row"]][figures["round"]] = figures

    def loads(self):
        return [row for row in self.rows if row != CALL]

    def each_round(self, calculate, *rows):
        """calculate(figures of each of the rows) in every round that has them all."""
        rounds = sorted(set.intersection(*(set(self.rows.get(row, {})) for row in rows)))
        return [calculate(*(self.rows[row][n] for row in rows)) for n in rounds]

    def values(self, row, name):
        return self.each_round(lambda figures: figures[name], row)

    def ratio(self, row, other):
        return self.each_round(lambda a, b: a["per_s"] / b["per_s"], row, other)

    def bare_of(self, row):
        """The bare handler under the same load; None where there is no such."""
        _, load, connections = row.split("/")
        if load in ("batches", "half", "paced", "storm-hits", "storm"):
            return None
        bare = "bare/pictures/64" if "pictures" in load else f"bare/hits/{connections}"
        return bare if bare in self.rows else None


def name(row):
    contender, load, connections = row.split("/")
    if contender.startswith("oracle-"):
        who = f"augur, Oracle {contender.removeprefix('oracle-')} ms"
    else:
        who = CONTENDERS[contender]
    return f"{who}: {LOADS.get(load, load)}, {connections} connection{'s' * (connections != '1')}"


def spread(values, form):
    """`median (least to most)`"""
    if not values:
        return ""
    least, middle, most = (form(value) for value in (min(values), median(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({least} to {most})"


def in_ms(value):
    return f"{value:,.2f}" if value >= 1 else f"{value:.3f}"


def verdicts(figures):
    yield "| what | measured | wanted | |"
    yield "|---|---:|---:|---|"
    for wanted in WANTED:
        values = wanted.values(figures)
        if not values:
            yield f"| {wanted.what} | | {wanted.bound_text()} | not measured |"
            continue
        verdict = "met" if wanted.is_met(median(values)) else "**not met**"
        yield f"| {wanted.what} | {spread(values, wanted.form.format)} | {wanted.bound_text()} | {verdict} |"


def table(figures):
    yield "| row | answers/s | of bare | p50 ms | p99 ms | CPU s per 10,000 | private MB | errors |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in figures.loads():
        bare = figures.bare_of(row)
        cells = [
            name(row),
            spread(figures.values(row, "per_s"), "{:,.0f}".format),
            spread(figures.ratio(row, bare), "{:.3f}".format) if bare and bare != row else "",
            spread(figures.values(row, "p50_ms"), in_ms),
            spread(figures.values(row, "p99_ms"), in_ms),
            f"{median(figures.values(row, 'cpu_s_per_10k')):.3f}",
            f"{median(figures.values(row, 'private_mb')):.1f}",
            str(sum(figures.values(row, "errors"))),
        ]
        yield "| " + " | ".join(cells) + " |"


def notes(figures, left_out):
    yield "Median (least to most) of the rounds. Ratios are taken inside each round, to the bare handler with as many connections."
    yield "CPU time and private memory (RssAnon, its most during the load) are the server's, of all its processes. The stand-in"
    yield "for Oracle works inside the server's process, so its rows pay for the database's work as well; logging on takes no"
    yield "time there, which is in the Flask program's favour: it does so for each request."
    yield "Latencies at half of peak are open loop, at the peak that oha itself reaches: a request counts from when it was due."
    yield "oha sends what is due once a millisecond, so it comes in groups."
    yield ""
    for row in figures.rows:
        if "/half/" in row:
            asked, got = median(figures.values(row, "asked_per_s")), median(figures.values(row, "per_s"))
            yield f"- {name(row)}: {asked:,.0f} a second asked, {got:,.0f} answered."
    calls = figures.values(CALL, "p50_ms")
    if calls:
        yield f"- One call of the stand-in with 1 ms round trips, through the driver alone: {spread(calls, in_ms)} ms."
    for left in left_out:
        yield f"- Left out: {left}."


def main():
    source, picture, *left_out = sys.argv[1:]
    figures = Figures(source)
    lines = [
        chart.Line(
            label=name(row),
            is_bare=row.startswith("bare/"),
            of_bare=figures.ratio(row, figures.bare_of(row)) if figures.bare_of(row) else [],
            wanted=next((wanted.bound for wanted in WANTED if wanted.row == row), None),
            p50_ms=median(figures.values(row, "p50_ms")),
            p99_ms=median(figures.values(row, "p99_ms")),
        )
        for row in figures.loads()
    ]
    Path(picture).write_text(chart.draw(lines), encoding="utf-8")
    print("\n".join(verdicts(figures)))
    print(f"\n![Answers a second as a share of the bare handler's, and latencies]({Path(picture).name})\n")
    print("\n".join(table(figures)))
    print()
    print("\n".join(notes(figures, left_out)))


main()
