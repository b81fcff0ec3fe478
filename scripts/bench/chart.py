"""The benchmark's picture: for each row its share of the bare handler's rate, and its latencies from median to p99."""

import math
from dataclasses import dataclass
from html import escape
from statistics import median

ROW, TOP, BOTTOM = 22, 58, 34
LABEL, SHARE, GAP, LATENCY, EDGE = 350, 360, 70, 300, 30
WIDTH = LABEL + SHARE + GAP + LATENCY + EDGE
MOST_SHARE = 1.2
STYLE = """
text { font: 12px sans-serif; fill: #222 } .small { font-size: 11px; fill: #555 } .title { font-weight: bold }
.grid { stroke: #e2e2e2 } .augur { fill: #2f6f9f } .bare { fill: #9a9a9a } .python { fill: #c58b3a }
.spread { stroke: #111; stroke-width: 1.2 } .wanted { stroke: #c0262d; stroke-width: 2.5 } .band { fill: #f6f6f6 }
.range { stroke: #2f6f9f; stroke-width: 3 } .dot { fill: #2f6f9f } .tail { fill: #fff; stroke: #2f6f9f; stroke-width: 1.5 }
"""


@dataclass(frozen=True)
class Line:
    label: str
    is_bare: bool
    of_bare: list  # one share a round; none where there is nothing to compare with
    wanted: float | None
    p50_ms: float
    p99_ms: float


def text(x, y, words, anchor="start", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def upright(x, top, bottom, kind):
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" class="{kind}"/>'


def across(left, right, y, kind):
    return f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}" class="{kind}"/>'


def share_x(share):
    return LABEL + min(share, MOST_SHARE) / MOST_SHARE * SHARE


def draw(lines):
    height = TOP + ROW * len(lines) + BOTTOM
    bottom = height - BOTTOM
    # the powers of ten around all latencies
    low = math.floor(math.log10(min(line.p50_ms for line in lines)))
    high = max(math.ceil(math.log10(max(line.p99_ms for line in lines))), low + 1)
    left = LABEL + SHARE + GAP

    def latency_x(ms):
        return left + (math.log10(ms) - low) / (high - low) * LATENCY

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for i in range(0, len(lines), 2):
        parts.append(f'<rect x="0" y="{TOP + i * ROW}" width="{WIDTH}" height="{ROW}" class="band"/>')
    parts.append(text(LABEL, 20, "answers a second, of the bare handler's", kind="title"))
    parts.append(text(LABEL, 36, "black: least to most of the rounds; red: wanted", kind="small"))
    parts.append(text(left, 20, "latency in ms: median to p99", kind="title"))
    parts.append(text(left, 36, "logarithmic", kind="small"))
    for tenths in range(0, 13, 2):
        parts.append(upright(share_x(tenths / 10), TOP, bottom, "grid"))
        parts.append(text(share_x(tenths / 10), bottom + 16, f"{tenths / 10:.1f}", "middle", "small"))
    for power in range(low, high + 1):
        parts.append(upright(latency_x(10**power), TOP, bottom, "grid"))
        parts.append(text(latency_x(10**power), bottom + 16, f"{10**power:g}", "middle", "small"))
    for i, line in enumerate(lines):
        parts += draw_line(line, TOP + (i + 0.5) * ROW, latency_x)
    return "\n".join([*parts, "</svg>", ""])


def draw_line(line, y, latency_x):
    yield text(LABEL - 10, y + 4, line.label, "end")
    if line.of_bare:
        share = median(line.of_bare)
        kind = "bare" if line.is_bare else "augur" if line.label.startswith("augur") else "python"
        width = share_x(share) - LABEL
        yield f'<rect x="{LABEL}" y="{y - 6:.1f}" width="{width:.1f}" height="12" class="{kind}"/>'
        if not line.is_bare:
            yield across(share_x(min(line.of_bare)), share_x(max(line.of_bare)), y, "spread")
            beyond = max(share, *line.of_bare, line.wanted or 0)
            yield text(share_x(beyond) + 6, y + 4, f"{share:.2f}" if share >= 0.1 else f"{share:.3f}", kind="small")
        if line.wanted:
            yield upright(share_x(line.wanted), y - 9, y + 9, "wanted")
    yield across(latency_x(line.p50_ms), latency_x(line.p99_ms), y, "range")
    for ms, kind in ((line.p50_ms, "dot"), (line.p99_ms, "tail")):
        yield f'<circle cx="{latency_x(ms):.1f}" cy="{y:.1f}" r="3.5" class="{kind}"/>'
