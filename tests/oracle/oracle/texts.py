# SPDX-License-Identifier: Apache-2.0
"""Statements by chance. Whatever may run carries a mark of its own, behind its first word."""

LONG = "n" * 62
SQL_NAMES = ["s", "t", "pr", "pr", "S"]
WILD_SQL_NAMES = [LONG + "aX", LONG + "aY", 'U&"\\00e9"', '"é"']
CURSORS = ["c", "c", "k"]
WILD_CURSORS = [LONG + "aX", '"é"']
TENANTS = ["acme", "globex", ""]
EXPLAIN = "(ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF)"


class Texts:
    """Those of one conversation. `wild`: names that are too long or not ASCII, and texts beyond ASCII."""

    def __init__(self, chance, name, decides, wild):
        self.chance, self.name, self.decides, self.wild = chance, name, decides, wild
        self.number = 100

    def mark(self):
        self.number += 1
        dice = self.chance.random()
        decision = ("" if not self.decides or dice > 0.4 else " cap" if dice > 0.3 else " refuse" if dice > 0.12 else
                    " rewrite" if dice > 0.06 else " answer")
        return f"/*{self.number}{decision}*/"

    def of_plain(self, *templates):
        """As of(), and nobody decides about it."""
        self.number += 1
        return self.chance.choice(templates).replace("%", f"/*{self.number}*/")

    def cap_mark(self):
        """The plugin limits the answer."""
        self.number += 1
        return f"/*{self.number} cap*/"

    def slow_mark(self):
        """The plugin takes its time, and lets it pass."""
        self.number += 1
        return f"/*{self.number} slow*/"

    def of(self, *templates):
        """One of them, with its mark for `%`."""
        return self.chance.choice(templates).replace("%", self.mark())

    def select(self):
        pick = self.chance.random()
        if pick < 0.04 and self.wild:
            return self.of("UPDATE % t SET b = 'ü'", "SELECT % 'é', E'\\\\é'")
        if pick < 0.12:
            return self.of("SELECT % 1/0", "SELECT % * FROM missing", "INSERT % INTO t VALUES ('x')")
        if pick < 0.40:
            return self.of("INSERT % INTO t VALUES (1) RETURNING a", "INSERT % INTO t VALUES (1), (2)", "DELETE % FROM t",
                           "UPDATE % t SET b = 'x' RETURNING a, b", "WITH % x AS (INSERT INTO t VALUES (7) RETURNING a) SELECT * FROM x")
        if pick < 0.50:
            return self.of("SELECT % 1 WHERE 1 < steady(2)", "SELECT % E'it\\'s', 'a\\\\b'", "SELECT % $x$;'$x$, 'a;b'")
        if pick < 0.65:
            return self.of("SELECT % generate_series(1, 5)", "SELECT % * FROM t", "TABLE % t", "VALUES % (1), (2)",
                           "\n  SELECT % -- ';\n 1", "/* ' */ SELECT % 2", "select % 3", "(SELECT % 4)")
        return self.of(f"SELECT % {self.number}")

    def with_parameter(self):
        return self.of("SELECT % $1::int + 1", "INSERT % INTO t VALUES ($1)", "SELECT % generate_series(1, $1::int)",
                       "SELECT % 1 WHERE 1 < steady($1::int)")

    def setting(self):
        tenant, pick = self.chance.choice(TENANTS), self.chance.random()
        if pick < 0.55:
            return self.of(
                f"SET % helios.tenant_id = '{tenant}'", f"SET % helios.tenant_id = '{tenant}'", f"SET % SESSION helios.tenant_id TO '{tenant}'",
                f"SET % LOCAL helios.tenant_id = '{tenant}'", f"SELECT % set_config('helios.tenant_id', '{tenant}', true)",
                f"SELECT % set_config('helios.tenant_id', '{tenant}', false)", "RESET % helios.tenant_id",
                "SET % helios.tenant_id TO DEFAULT", f"SET % \"helios\".\"tenant_id\" = '{tenant}'")
        if pick < 0.7:
            return self.of("RESET % ALL", "DISCARD % ALL", "DISCARD % PLANS", "SHOW % helios.tenant_id", "SET % a.b = 'x'")
        if pick < 0.85:
            return self.of("SET % standard_conforming_strings = off", "SET % standard_conforming_strings = on",
                           "SELECT % set_config('standard_conforming_strings', 'off', false)")
        return self.of("SET % client_encoding = 'LATIN1'", "SET % client_encoding = 'UTF8'", "SET % a.b = 'x'")

    def control(self):
        name = f"{self.name}.{self.number}"
        return self.of(
            "BEGIN %", "BEGIN %", "START % TRANSACTION", "BEGIN % READ ONLY", "COMMIT %", "COMMIT %", "ROLLBACK %", "END %", "ABORT %",
            "SAVEPOINT % s", "SAVEPOINT % s", f"SAVEPOINT % {LONG + 'aX' if self.wild else 'r'}", "ROLLBACK % TO s", "ROLLBACK % TO r",
            "RELEASE % s", "COMMIT % AND CHAIN", "ROLLBACK % AND CHAIN", "CALL % half()", f"PREPARE TRANSACTION % '{name}'",
            f"COMMIT % PREPARED '{name}'", "VACUUM % t", "SET % TRANSACTION READ ONLY", "LISTEN % l", "NOTIFY % l",
            "DO % $$ BEGIN COMMIT; END $$", "DO % $$ BEGIN PERFORM 1/0; END $$")

    def sql_name(self):
        return self.chance.choice(SQL_NAMES + (WILD_SQL_NAMES if self.wild else []))

    def names(self):
        name, cursor = self.sql_name(), self.chance.choice(CURSORS + (WILD_CURSORS if self.wild else []))
        # "pr" is never an EXECUTE: EXPLAIN of one that runs itself ends PostgreSQL 15.
        return self.chance.choice([
            lambda: f"PREPARE {name} AS {self.select()}", lambda: f"PREPARE {name}(int) AS {self.with_parameter()}",
            lambda: self.of(f"EXECUTE {name}", f"EXECUTE {name}", f"EXECUTE {name}({self.number})", f"EXECUTE {name}(NULL)",
                            f"EXECUTE {name}(set_config('helios.a', '1', false)::int)"),
            lambda: self.of(f"DEALLOCATE % {name}", "DEALLOCATE % ALL", f"DEALLOCATE % PREPARE {name}"),
            lambda: f"DECLARE {cursor} CURSOR FOR {self.select()}",
            lambda: self.of(f"DECLARE {cursor} CURSOR WITH HOLD FOR SELECT % generate_series(1, 3)",
                            f"DECLARE {cursor} SCROLL CURSOR FOR SELECT % generate_series(1, 3)"),
            lambda: self.of(f"FETCH % ALL FROM {cursor}", f"FETCH % 2 FROM {cursor}", f"FETCH % BACKWARD 1 FROM {cursor}",
                            f"MOVE % 1 FROM {cursor}"),
            lambda: self.of(f"CLOSE % {cursor}", "CLOSE % ALL"),
            lambda: self.of(f"SELECT % cursor_to_xml('{self.chance.choice(CURSORS)}', 10, false, false, '')"),
            lambda: self.of(f"EXPLAIN % {EXPLAIN} DECLARE c CURSOR FOR SELECT 1", "EXPLAIN % EXECUTE pr",
                            f"EXPLAIN % {EXPLAIN} SELECT 1", "CREATE % TEMP TABLE u AS EXECUTE pr"),
        ])()

    def any(self):
        pick = self.chance.random()
        return (self.select() if pick < 0.52 else self.names() if pick < 0.72 else self.setting() if pick < 0.86 else self.control())

    def query(self):
        """One to four of them."""
        return "; ".join(self.any() for _ in range(self.chance.choice([1, 1, 1, 2, 3, 4])))
