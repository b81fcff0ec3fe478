#!/usr/bin/env python3
"""The Flask program that augur replaces, for scripts/bench.sh: what augur is measured against.

As it was: one route, a connection for each request, look up first, else predict, insert and commit, Flask's own
server with its threads. Changed: a fixed linear function stands in for scikit-learn's model, and sqlite3, where no
--oracle is given, for cx_Oracle, so that it runs anywhere. Both changes are in its favour.
"""

import argparse
import sqlite3

from flask import Flask, jsonify, request

app = Flask(__name__)
database = ""
oracle = None  # the module cx_Oracle, with --oracle


def connect():
    if oracle:
        return oracle.connect(user="augur", password="secret", dsn=database)
    # The timeout is how long a commit waits for other threads' commits; sqlite3's 5 s would fail some of 64 clients.
    return sqlite3.connect(database, timeout=60)


class LinearModel:
    """predict() as scikit-learn has it: rows in, values out."""

    def predict(self, rows):
        return [self._one(url) for (url,) in rows]

    @staticmethod
    def _one(url):
        digits = sum(c.isdigit() for c in url)
        x = 0.1 + 0.002 * len(url) + 0.01 * digits + 0.03 * url.count(".") + 0.02 * url.count("-")
        return min(x, 1.0)


ml_model = LinearModel()


@app.route("/url", methods=["POST"])
def ml():
    data = request.get_json()
    connection = connect()
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT result FROM url_result WHERE url = :url", {"url": data["url"]})
        db_result = cursor.fetchone()
        if db_result:
            return jsonify({"result": db_result[0]})
        ml_result = ml_model.predict([[data["url"]]])[0]
        cursor.execute(
            "INSERT INTO url_result (url, result) VALUES (:url, :result)",
            {"url": data["url"], "result": ml_result},
        )
        connection.commit()
        return jsonify({"result": ml_result})
    finally:
        cursor.close()
        connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The Flask program that augur replaces, on SQLite or Oracle")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--database", help="SQLite file; made where absent")
    place.add_argument("--oracle", metavar="DSN", help="connect string; the table URL_RESULT is there already")
    parser.add_argument("--client", help="folder of Oracle's client library, for --oracle")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    database = arguments.database or arguments.oracle
    if arguments.oracle:
        import cx_Oracle as oracle

        oracle.init_oracle_client(lib_dir=arguments.client)
    else:
        setup = connect()
        # The same journal and durability as augur's (WAL is kept in the file, synchronous=FULL is SQLite's default): the
        # comparison is between programs, not between journals.
        setup.execute("PRAGMA journal_mode = WAL")
        setup.execute("CREATE TABLE IF NOT EXISTS url_result (url TEXT PRIMARY KEY, result REAL)")
        setup.close()
    app.run(host="127.0.0.1", port=arguments.port)
