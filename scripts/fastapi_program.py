#!/usr/bin/env python3
"""A better Python answer than the Flask program (scripts/flask_program.py), for scripts/bench.sh: FastAPI on two
uvicorn workers.

Each worker holds one SQLite connection and calls it from its event loop: a lookup takes microseconds, less than the hop
to a thread would. A miss is committed alone, with the same journal and durability as augur's (WAL, synchronous=FULL).
"""

import argparse
import os
import sqlite3
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

DATABASE = "FASTAPI_PROGRAM_DATABASE"  # how the workers learn of it


def connect():
    # autocommit: each INSERT is its own transaction; the timeout is how long one worker waits for the other's commit
    return sqlite3.connect(os.environ[DATABASE], timeout=60, isolation_level=None)


@asynccontextmanager
async def lifespan(application):
    application.state.connection = connect()
    yield
    application.state.connection.close()


app = FastAPI(lifespan=lifespan)


class Ask(BaseModel):
    url: str


class Reply(BaseModel):
    result: float | None


def predict(url):
    """The linear function of the Flask program."""
    digits = sum(c.isdigit() for c in url)
    x = 0.1 + 0.002 * len(url) + 0.01 * digits + 0.03 * url.count(".") + 0.02 * url.count("-")
    return min(x, 1.0)


@app.post("/url")
async def answer(ask: Ask) -> Reply:
    connection = app.state.connection
    row = connection.execute("SELECT result FROM url_result WHERE url = ?", (ask.url,)).fetchone()
    if row:
        return Reply(result=row[0])
    result = predict(ask.url)
    connection.execute("INSERT INTO url_result (url, result) VALUES (?, ?) ON CONFLICT DO NOTHING", (ask.url, result))
    return Reply(result=result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="lookup-then-predict with FastAPI on SQLite")
    parser.add_argument("--database", required=True, help="SQLite file; made where absent")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    os.environ[DATABASE] = arguments.database
    setup = connect()
    setup.execute("PRAGMA journal_mode = WAL")
    setup.execute("CREATE TABLE IF NOT EXISTS url_result (url TEXT PRIMARY KEY, result REAL)")
    setup.close()
    uvicorn.run("fastapi_program:app", host="127.0.0.1", port=arguments.port, workers=2)
