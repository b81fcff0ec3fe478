#!/usr/bin/env python3
"""preload.py PORT: asks for the 1,000 keys of hits.lua, so that they are stored from then on."""

import http.client
import json
import sys

KEYS = 1000


def ask(connection, url):
    connection.request("POST", "/url", json.dumps({"url": url}), {"Content-Type": "application/json"})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        sys.exit(f"preload: {url} was answered with {response.status}: {body!r}")


def main():
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
    urls = [f"http://known-{i:04}.example.com/shop/item?id={i * 7919}" for i in range(KEYS)]
    for url in urls:
        ask(connection, url)


main()
