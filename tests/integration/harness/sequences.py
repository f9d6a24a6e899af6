# SPDX-License-Identifier: Apache-2.0
"""Conversations of a client, as lists of messages, for the comparison of a server with and without the proxy.

Each begins in one of several contexts and says everything without waiting for answers.
"""

import struct

from .wire import (FLUSH, SYNC, bind_message, cstring, execute_message, message, parse_message, query_message)


def describe(kind, name=""):
    return message(b"D", kind + cstring(name))


def close(kind, name=""):
    return message(b"C", kind + cstring(name))


def typed_parse(text, types, name=""):
    return message(b"P", cstring(name) + cstring(text) + struct.pack(f"!h{len(types)}i", len(types), *types))


def binary_bind(values, portal="", name="", results=1):
    body = cstring(portal) + cstring(name) + struct.pack("!hhh", 1, 1, len(values))
    for value in values:
        body += struct.pack("!i", len(value)) + value
    return message(b"B", body + struct.pack("!hh", 1, results))


def run(text, values=()):
    """Parse, Bind, Describe, Execute of the unnamed statement."""
    return [parse_message(text), bind_message(values=values), describe(b"P"), execute_message()]


def copy_data(text):
    return message(b"d", text.encode())


COPY_DONE = message(b"c")
COPY_FAIL = message(b"f", cstring("the client has changed its mind"))

TABLE = "CREATE TEMP TABLE t (a int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, b text)"

# What a session is in when a sequence begins. Every one has the table t, and the statements seven and ten.
START = [query_message(TABLE), parse_message("SELECT 7 AS seven", "seven"), SYNC,
         query_message("PREPARE ten (int) AS SELECT $1 * 10 AS ten")]
CONTEXTS = {
    "idle": [],
    "in a transaction": [query_message("BEGIN")],
    "in a failed transaction": [query_message("BEGIN; SELECT 1/0")],
    "in an open batch": run("INSERT INTO t VALUES (100, 'batch')"),
    "behind a failed message": [parse_message("SELECT 1/0"), bind_message(), execute_message()],
}

BODIES = {
    "select": run("SELECT 1 AS one"),
    "select with a text parameter": run("SELECT $1::int + 1", ["41"]),
    "null parameter": run("SELECT $1::text IS NULL", [None]),
    "binary parameters and results": [typed_parse("SELECT $1, $2", [23, 25]),
                                      binary_bind([struct.pack("!i", 5), b"five"]), describe(b"P"), execute_message()],
    "one statement many times": [parse_message("SELECT $1::int"), *[part for i in range(5) for part in
                                                                    (bind_message(values=[str(i)]), execute_message())]],
    "named statement": [bind_message("", "seven"), describe(b"S", "seven"), execute_message()],
    "named statement again": [parse_message("SELECT 8", "seven"), SYNC, bind_message("", "seven"), execute_message()],
    "close and parse again": [close(b"S", "seven"), parse_message("SELECT 8 AS eight", "seven"),
                              bind_message("", "seven"), describe(b"P"), execute_message()],
    "statement that does not exist": [bind_message("", "nobody"), execute_message()],
    "describe of what does not exist": [describe(b"S", "nobody")],
    "close of what does not exist": [close(b"S", "nobody"), close(b"P", "nobody")],
    "portal that does not exist": [execute_message("nobody")],
    "named portal": [parse_message("SELECT generate_series(1, 7)"), bind_message("p"), describe(b"P", "p"),
                     execute_message("p", 3), execute_message("p", 3), execute_message("p", 3), execute_message("p")],
    "portal closed in the middle": [parse_message("SELECT generate_series(1, 7)"), bind_message("p"),
                                    execute_message("p", 3), close(b"P", "p"), execute_message("p", 3)],
    "portal bound twice": [parse_message("SELECT 1"), bind_message("p"), bind_message("p"), execute_message("p")],
    "two portals in turn": [parse_message("SELECT generate_series(1, 4)", "g"), bind_message("x", "g"),
                            bind_message("y", "g"), execute_message("x", 2), execute_message("y", 1),
                            execute_message("x", 9), execute_message("y", 9), close(b"S", "g")],
    "portal across sync": [parse_message("SELECT generate_series(1, 4)"), bind_message("p"), execute_message("p", 2), SYNC,
                           execute_message("p", 2)],
    "portal run to its end twice": [parse_message("INSERT INTO t VALUES (1)"), bind_message("p"), execute_message("p"),
                                    execute_message("p")],
    "no execute at all": [parse_message("SELECT 1"), bind_message(), describe(b"P")],
    "empty statement": run(""),
    "comment only": run("/* nothing */"),
    "empty query": [query_message("")],
    "two statements in one parse": run("SELECT 1; SELECT 2"),
    "text that is none": run("SELEC 1"),
    "query that is none": [query_message("SELEC 1")],
    "error in execute": [*run("SELECT 1/0"), *run("SELECT 2")],
    "error in parse": [*run("SELECT * FROM missing"), *run("SELECT 2")],
    "error in bind": [*run("SELECT $1::int", ["not a number"]), *run("SELECT 2")],
    "too few parameters": [*run("SELECT $1::int, $2::int", ["1"]), *run("SELECT 2")],
    "too many parameters": [*run("SELECT 1", ["1"]), *run("SELECT 2")],
    "error between good ones": [*run("INSERT INTO t VALUES (1)"), *run("SELECT 1/0"), *run("INSERT INTO t VALUES (2)"),
                                SYNC, query_message("SELECT count(*) FROM t")],
    "deferred constraint": [*run("INSERT INTO t VALUES (1)"), *run("INSERT INTO t VALUES (1)")],
    "query in a batch": [*run("SELECT 1"), query_message("SELECT 2"), *run("SELECT 3")],
    "query in a failed batch": [parse_message("SELECT 1/0"), bind_message(), execute_message(), query_message("SELECT 2"),
                                *run("SELECT 3")],
    "query of several": [query_message("SELECT 1; INSERT INTO t VALUES (3); SELECT count(*) FROM t")],
    "query of several with an error": [query_message("INSERT INTO t VALUES (3); SELECT 1/0; SELECT 2")],
    "query destroys the unnamed statement": [parse_message("SELECT 1"), SYNC, query_message("SELECT 2"), bind_message(),
                                             execute_message()],
    "transaction in a pipeline": [*run("BEGIN"), *run("INSERT INTO t VALUES (4)"), *run("COMMIT"),
                                  *run("SELECT count(*) FROM t")],
    "rollback in a pipeline": [*run("BEGIN"), *run("INSERT INTO t VALUES (4)"), *run("ROLLBACK"),
                               *run("SELECT count(*) FROM t")],
    "savepoints": [*run("BEGIN"), *run("SAVEPOINT s"), *run("SELECT 1/0"), SYNC, *run("ROLLBACK TO s"), *run("SELECT 1"),
                   *run("COMMIT")],
    "savepoint outside": run("SAVEPOINT s"),
    "set and show": [*run("SET TimeZone = 'UTC'"), *run("SHOW TimeZone")],
    "set local": [*run("SET LOCAL helios.x = '1'"), *run("SELECT current_setting('helios.x', true)"), SYNC,
                  *run("SELECT current_setting('helios.x', true)")],
    "set_config": [*run("SELECT set_config('helios.tenant_id', $1, false)", ["acme"]),
                   *run("SELECT current_setting('helios.tenant_id')")],
    "set of the encoding": [*run("SET client_encoding = 'LATIN1'"), *run("SELECT 'a\\b'"), SYNC,
                            *run("RESET client_encoding")],
    "strings that do not conform": [*run("SET standard_conforming_strings = off"), SYNC, *run("SELECT 'a\\'b'"), SYNC,
                                    *run("RESET standard_conforming_strings")],
    "sql execute": [*run("EXECUTE ten(4)"), query_message("EXECUTE ten(5)")],
    "sql execute of a parsed one": [query_message("EXECUTE seven")],
    "bind of an sql prepared one": [bind_message("", "ten", ["6"]), execute_message()],
    "sql execute of nobody": [query_message("EXECUTE nobody")],
    "sql prepare and execute": [query_message("PREPARE x AS SELECT 5; EXECUTE x; DEALLOCATE x")],
    "deallocate": [*run("DEALLOCATE seven"), bind_message("", "seven"), execute_message()],
    "deallocate all": [*run("DEALLOCATE ALL"), bind_message("", "ten", ["1"]), execute_message()],
    "discard all": [query_message("DISCARD ALL"), query_message("EXECUTE seven")],
    "deallocate undone": [*run("DEALLOCATE seven"), *run("SELECT 1/0"), SYNC, query_message("EXECUTE seven")],
    "cursor": [query_message("DECLARE c CURSOR FOR SELECT generate_series(1, 5)"), query_message("FETCH 2 FROM c"),
               execute_message("c", 2), execute_message("c"), SYNC, query_message("CLOSE c")],
    "cursor with hold": [query_message("DECLARE c CURSOR WITH HOLD FOR SELECT generate_series(1, 5)"),
                         execute_message("c", 2), SYNC, query_message("FETCH ALL FROM c")],
    "explain": run("EXPLAIN (COSTS OFF) SELECT 1"),
    "copy out": run("COPY (SELECT generate_series(1, 3)) TO STDOUT"),
    "copy out by query": [query_message("COPY (SELECT 1) TO STDOUT")],
    "copy in by query": [query_message("COPY t FROM STDIN"), copy_data("5\tfive\n6\tsix\n"), COPY_DONE,
                         query_message("SELECT count(*) FROM t")],
    "copy in by query given up": [query_message("COPY t FROM STDIN"), copy_data("5\tfive\n"), COPY_FAIL,
                                  query_message("SELECT count(*) FROM t")],
    "copy in": [parse_message("COPY t FROM STDIN"), bind_message(), execute_message(), copy_data("5\tfive\n"), COPY_DONE,
                SYNC, query_message("SELECT count(*) FROM t")],
    "copy data of no copy": [copy_data("5\tfive\n"), COPY_DONE, *run("SELECT 1")],
    "notice": run("DO $$ BEGIN RAISE NOTICE 'hello'; END $$"),
    "long result": run("SELECT repeat('x', 1000) FROM generate_series(1, 200)"),
    "returning": run("INSERT INTO t VALUES (9, 'nine') RETURNING *"),
    "non-ascii": run("SELECT 'æøå ' || $1", ["ü"]),
    "flush between": [parse_message("SELECT 1"), FLUSH, bind_message(), FLUSH, execute_message(), FLUSH],
}

ENDS = {"": [SYNC], ", then a query": [SYNC, query_message("SELECT 'the end'")]}


def sequences():
    """{name: messages}"""
    return {f"{body}, {context}{end}": [*START, *CONTEXTS[context], *BODIES[body], *ENDS[end]]
            for context in CONTEXTS for body in BODIES for end in ENDS}


def some_sequences():
    """The names of as many of them as there are bodies, the contexts in turn."""
    contexts = list(CONTEXTS)
    return [f"{body}, {contexts[i % len(contexts)]}" for i, body in enumerate(BODIES)]
