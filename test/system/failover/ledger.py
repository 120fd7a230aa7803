"""A ledger that keeps its promises: whoever sends a number on a line hears `ok NUMBER` once it is in the database for good.

    ledger.py serve DATABASE ADDRESS PORT     until it is killed
    ledger.py list DATABASE                   checks the database, then prints all numbers
"""

import socketserver
import sqlite3
import sys


def opened(path):
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    return database


def serve(path, address, port):
    database = opened(path)
    database.execute("CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY)")

    class Client(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                number = int(line)
                # A client that did not hear the answer asks again.
                database.execute("INSERT OR IGNORE INTO entry VALUES (?)", (number,))
                self.wfile.write(b"ok %d\n" % number)

    class Server(socketserver.TCPServer):
        allow_reuse_address = True

    Server((address, int(port)), Client).serve_forever()


def list_entries(path):
    database = opened(path)
    for (verdict,) in database.execute("PRAGMA integrity_check"):
        if verdict != "ok":
            sys.exit(verdict)
    for (number,) in database.execute("SELECT number FROM entry ORDER BY number"):
        print(number)


{"serve": serve, "list": list_entries}[sys.argv[1]](*sys.argv[2:])
