"""The figures that the benchmark is held against: ratios inside one run, so that they mean the same on any machine."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    what: str
    bound: float
    values: Callable  # of the figures, to one value a round
    at_most: bool = False
    form: str = "{:.3f}"
    row: str | None = None  # whose share of the bare handler the bound is, for the picture

    def is_met(self, value):
        return value <= self.bound if self.at_most else value >= self.bound

    def bound_text(self):
        return ("at most " if self.at_most else "at least ") + f"{self.bound:g}"


def of_bare(what, row, bound):
    def values(figures):
        bare = figures.bare_of(row)
        return figures.ratio(row, bare) if bare else []

    return Wanted(what, bound, values, row=row)


def times(what, row, other, bound):
    return Wanted(what, bound, lambda figures: figures.ratio(row, other), form="{:.1f}")


def waiting(figures):
    return figures.each_round(
        lambda augur, bare, call: augur["p50_ms"] - bare["p50_ms"] - call["p50_ms"],
        "oracle-1/hits/1", "bare/hits/1", "call",
    )


def tail(figures):
    return figures.each_round(
        lambda augur, bare: (augur["p99_ms"] / augur["p50_ms"]) / (bare["p99_ms"] / bare["p50_ms"]),
        "sqlite/half/64", "bare/half/64",
    )


def least_of_peak(figures):
    def share(*rows):
        rates = [row["per_s"] for row in rows]
        return min(rates) / max(rates)

    # a quick run leaves the middle out
    middle = [row for row in ["sqlite/hits/256"] if row in figures.rows]
    return figures.each_round(share, "sqlite/hits/64", *middle, "sqlite/hits/512")


def memory(what, row, name, bound):
    return Wanted(what, bound, lambda figures: figures.values(row, name), at_most=True, form="{:.1f}")


WANTED = [
    of_bare("hits, SQLite, 64 connections, of bare", "sqlite/hits/64", 0.80),
    of_bare("hits with the cache on, of bare", "cache/hits/64", 0.92),
    of_bare("misses, SQLite, durable, of bare", "sqlite/misses/64", 0.55),
    times("misses, times one commit per request (lanes.max_batch 1)", "sqlite/misses/64", "one/misses/64", 9),
    of_bare("hits, Oracle stand-in 1 ms, 8 sessions, 256 connections, of bare", "oracle-1/hits/256", 0.65),
    of_bare("misses, the same, 1 ms commits, of bare", "oracle-1/misses/256", 0.45),
    times("hits, times the Flask program", "sqlite/hits/64", "flask/hits/64", 65),
    times("misses, times the Flask program", "sqlite/misses/64", "flask/misses/64", 55),
    Wanted("one client's hit on the stand-in: ms over bare and one call", 0.15, waiting, at_most=True),
    Wanted("p99/median at half of peak, times the bare handler's", 1.5, tail, at_most=True, form="{:.2f}"),
    Wanted("from 64 to 512 connections: the slowest rate, of the fastest", 0.85, least_of_peak),
    memory("private memory at rest, MB", "sqlite/hits/512", "rest_mb", 40),
    memory("private memory at 512 connections, MB", "sqlite/hits/512", "private_mb", 120),
]
