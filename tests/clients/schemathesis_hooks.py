"""Writes the bodies of which JSON Schema has no word: they are their examples, or any bytes."""

import json

import schemathesis


@schemathesis.serializer('application/x-ndjson')
def as_lines(ctx, value):
    if isinstance(value, (str, bytes)):
        return value if isinstance(value, bytes) else value.encode('utf-8', 'surrogatepass')
    entries = value if isinstance(value, list) else [value]
    return b''.join(json.dumps(entry).encode() + b'\n' for entry in entries)
