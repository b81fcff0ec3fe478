#!/usr/bin/env python3
"""preload.py PORT: asks for the 1,000 keys of hits.lua, so that they are stored from then on.
preload.py PORT PICTURE N: the same for the N known pictures of pictures.lua."""

import http.client
import json
import sys

KEYS = 1000
BOUNDARY = b"0e5b6bb7d0a2cf5f4a2c7e1d4b9b3a61"


def urls():
    for i in range(KEYS):
        yield json.dumps({"url": f"http://known-{i:04}.example.com/shop/item?id={i * 7919}"}).encode()


def pictures(file, count):
    with open(file, "rb") as opened:
        picture = opened.read()
    head = b'Content-Disposition: form-data; name="image"; filename="picture.png"\r\n\r\n'
    for i in range(count):
        yield b"--" + BOUNDARY + b"\r\n" + head + picture + b"%012d" % i + b"\r\n--" + BOUNDARY + b"--\r\n"


def main():
    port, *of_pictures = sys.argv[1:]
    if of_pictures:
        path, kind = "/classify", b"multipart/form-data; boundary=" + BOUNDARY
        bodies = pictures(of_pictures[0], int(of_pictures[1]))
    else:
        path, kind = "/url", b"application/json"
        bodies = urls()
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    for n, body in enumerate(bodies):
        connection.request("POST", path, body, {"Content-Type": kind})
        response = connection.getresponse()
        told = response.read()
        if response.status != 200:
            sys.exit(f"preload: request {n} was answered with {response.status}: {told!r}")


main()
