#!/usr/bin/env bash
# Exit code 0 where augur answers on this machine: for the container image, which holds no HTTP client.
set -euo pipefail

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    echo "usage: healthcheck.sh [PORT]   (8000)"
    exit 0
fi

exec 3<>"/dev/tcp/127.0.0.1/${1:-8000}"
printf 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 _ status _ <&3
[[ $status == 200 ]]
