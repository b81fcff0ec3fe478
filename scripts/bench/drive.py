#!/usr/bin/env python3
"""Loads a running server and prints one line of JSON: rate, latencies, errors, and what the server spent on it.

CPU time and private memory are those of the process and all its descendants, from /proc (Linux).
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SAMPLE_S = 0.1
KEYS = 1000


def fields(pid):
    """/proc/PID/stat after the name, which may hold anything: [1] is the parent, [11] and [12] are the CPU times."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def family(root):
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                children.setdefault(int(fields(entry)[1]), []).append(int(entry))
            except OSError:
                pass  # ended meanwhile
    found, todo = [], [root]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def cpu_s(pids):
    return sum(int(ticks) for pid in pids for ticks in fields(pid)[11:13]) / TICKS_PER_S


def private_mb(pids):
    kb = 0
    for pid in pids:
        found = re.search(r"^RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"), re.M)
        kb += int(found[1]) if found else 0
    return kb / 1024


class Sampler(threading.Thread):
    """The most private memory that is seen while a load runs."""

    def __init__(self, pids):
        super().__init__(daemon=True)
        self.pids = pids
        self.most_mb = private_mb(pids)
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(SAMPLE_S):
            self.most_mb = max(self.most_mb, private_mb(self.pids))


def run(command, env=None):
    """Runs a load generator to its end; a signal to us ends it as well."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        signal.signal(signal.SIGTERM, lambda *_: (process.kill(), sys.exit(143)))
        out, err = process.communicate()
    if process.returncode != 0:
        sys.exit(f"drive: {command[0]} failed: {err or out}")
    return out


def wrk(options, seconds):
    # The time tells this run's new keys from those of others.
    command = ["wrk", "--threads", str(min(options.threads, options.connections)), "--connections"]
    command += [str(options.connections), "--duration", f"{seconds}s", "--timeout", "30s", "--script"]
    command += [str(HERE / f"{options.load}.lua"), f"http://127.0.0.1:{options.port}", "--", str(time.time_ns())]
    out = run(command)
    figures = re.search(r"^FIGURES (\d+) (\d+) (\d+) (\d+) (\d+)$", out, re.M)
    if not figures:
        sys.exit(f"drive: wrk tells no figures: {out}")
    requests, duration_us, p50_us, p99_us, errors = map(int, figures.groups())
    seconds = duration_us / 1e6
    return {"requests": requests, "seconds": seconds, "p50_ms": p50_us / 1e3, "p99_ms": p99_us / 1e3, "errors": errors}


def oha(options, seconds):
    """Open loop: requests are due at a fixed rate, and one that is sent late counts from when it was due. The keys are
    those of hits.lua. A rate of 0 is the closed loop, which finds the peak."""
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as bodies:
        for i in range(KEYS):
            print(json.dumps({"url": f"http://known-{i:04}.example.com/shop/item?id={i * 7919}"}), file=bodies)
        bodies.flush()
        command = [options.oha, "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-m", "POST", "-T"]
        command += ["application/json", "-Z", bodies.name, "-c", str(options.connections)]
        if options.rate:
            command += ["-q", str(options.rate), "--latency-correction"]
        told = json.loads(run([*command, f"http://127.0.0.1:{options.port}/url"]))
    good = told["statusCodeDistribution"].get("200", 0)
    # What is under way when the time is over is broken off; it is no failure of the server's.
    errors = sum(n for text, n in told["errorDistribution"].items() if "deadline" not in text)
    errors += sum(n for status, n in told["statusCodeDistribution"].items() if status != "200")
    percentiles = told["latencyPercentiles"]
    figures = {"requests": good, "seconds": told["summary"]["total"], "errors": errors, "asked_per_s": options.rate}
    return {**figures, "p50_ms": percentiles["p50"] * 1e3, "p99_ms": percentiles["p99"] * 1e3}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pid", type=int, required=True, help="the server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--load", required=True, help="name of a wrk script beside this one, or `open` for oha")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2, help="of wrk")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--warm-up", type=int, default=1, help="seconds that are not counted")
    parser.add_argument("--rate", type=int, default=0, help="requests a second, for `open`; 0: as fast as it goes")
    parser.add_argument("--oha", default="oha")
    options = parser.parse_args()

    load = oha if options.load == "open" else wrk
    pids = family(options.pid)
    rest_mb = private_mb(pids)
    warmed_up = load(options, options.warm_up)["requests"] if options.warm_up else 0
    pids = family(options.pid)
    sampler = Sampler(pids)
    before_s = cpu_s(pids)
    sampler.start()
    figures = load(options, options.seconds)
    spent_s = cpu_s(pids) - before_s
    sampler.ended.set()
    sampler.join()
    if not figures["requests"]:
        sys.exit(f"drive: no answer in {options.seconds} s; --seconds must be longer for this row")
    figures["per_s"] = figures["requests"] / figures["seconds"]
    figures["cpu_s_per_10k"] = spent_s / figures["requests"] * 1e4
    figures["requests_with_warm_up"] = figures["requests"] + warmed_up
    figures["rest_mb"] = rest_mb
    figures["private_mb"] = sampler.most_mb
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


main()
