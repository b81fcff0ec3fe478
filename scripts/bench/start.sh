#!/usr/bin/env bash
# Time from the start of the process to its first answer, and the size of the binary.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/bench/start.sh [--times N]

Builds augur, starts it N times (20) with SQLite and the shipped model, on a new file and on one that is there, and asks
for a prediction until it comes. Prints the medians and the size of the stripped binary; fails where a median is above
60 ms or the binary above 25 MB.

Needs python3 and strip (Debian: apt-get install binutils).
TEXT
}

times=20
# shellcheck source=scripts/bench/options.sh
source "$(dirname "${BASH_SOURCE[0]}")/options.sh"
number_options "times" "$@"
# shellcheck source=scripts/bench/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need strip binutils
build
data_folder

strip -o "$data/stripped" "$augur"
"$python" - "$augur" "$data" "$times" "$(stat -c %s "$data/stripped")" <<'PYTHON'
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

augur, data, times, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
BODY = b'{"url": "http://www.example.com/news/2012/a.html"}'
REQUEST = (
    b"POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
    % (len(BODY), BODY)
)


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def first_answer(port, process):
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(REQUEST)
                head = connection.recv(4096)
        except OSError:
            head = b""
        if head.startswith(b"HTTP/1.1 200"):
            return
        if process.poll() is not None:
            sys.exit("augur ended instead of serving")
        time.sleep(0.0005)


def start_ms(database):
    port = free_port()
    command = [augur, "serve", "--set", f'server.listen=["127.0.0.1:{port}"]', "--set", f"store.sqlite.path={database}"]
    with open(data / "log", "wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            first_answer(port, process)
            return (time.perf_counter() - started) * 1e3
        finally:
            process.kill()
            process.wait()


good = True
for what, database in (("a new file", "new-{}.db"), ("a file that is there", "there.db")):
    took = [start_ms(data / database.format(n)) for n in range(times)]
    good = good and median(took) <= 60
    print(f"start to first answer, {what}: {median(took):.1f} ms ({min(took):.1f} to {max(took):.1f}), wanted at most 60")
print(f"binary, stripped: {size / 1e6:.1f} MB, wanted at most 25")
sys.exit(not good or size > 25e6)
PYTHON
