#!/usr/bin/env python3
"""picture.py WIDTH HEIGHT FILE: a grey PNG of noise of 16 shades: about half a byte a pixel."""

import os
import struct
import sys
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main():
    width, height = int(sys.argv[1]), int(sys.argv[2])
    # 16 shades: four bits a pixel are noise
    shades = bytes(shade & 15 for shade in range(256))
    rows = b"".join(b"\0" + os.urandom(width).translate(shades) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    with open(sys.argv[3], "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


main()
