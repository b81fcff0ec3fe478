#!/usr/bin/env python3
"""preload.py PORT: asks for the 1,000 keys of hits.lua twice, so that they are stored and proven to be hits."""

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
    return json.loads(body)["result"]


def main():
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
    urls = [f"http://known-{i:04}.example.com/shop/item?id={i * 7919}" for i in range(KEYS)]
    first = [ask(connection, url) for url in urls]
    if first != [ask(connection, url) for url in urls]:
        sys.exit("preload: the second answers differ from the first")


main()
