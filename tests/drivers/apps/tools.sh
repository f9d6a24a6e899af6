#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# PostgreSQL's own tools, one story each: tools.sh STORY, with PGHOST, PGPORT, PGUSER. Prints what came of it.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export PGDATABASE=demo PGOPTIONS='-c client_min_messages=warning'

sql() {
  psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# A schema of many kinds of things, with data.
make_world() {
  sql <<'SQL'
CREATE SCHEMA "odd ""name""";
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE parent (id serial PRIMARY KEY, at timestamptz DEFAULT '2020-01-01', m mood, doc jsonb, raw bytea, tags text[]);
CREATE TABLE child (id int GENERATED ALWAYS AS IDENTITY, parent int REFERENCES parent ON DELETE CASCADE, amount numeric CHECK (amount > 0));
CREATE TABLE parts (a int, b text) PARTITION BY RANGE (a);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
CREATE TABLE "odd ""name"""."tab	le" (";" text);
CREATE VIEW seen AS SELECT p.id, count(c.*) FROM parent p LEFT JOIN child c ON c.parent = p.id GROUP BY p.id;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM seen;
CREATE INDEX ON parent USING gin (doc);
CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a * 2; -- ; "';
CREATE PROCEDURE tell() LANGUAGE plpgsql AS $body$ BEGIN RAISE NOTICE 'a ; b'; END $body$;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at = '2021-01-01'; RETURN NEW; END $$;
CREATE TRIGGER stamps BEFORE INSERT ON parent FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE child ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON child USING (amount < 1000000);
INSERT INTO parent (m, doc, raw, tags) SELECT 'ok', jsonb_build_object('n', n), decode(md5(n::text), 'hex'), ARRAY['a', E'b\\c\n', NULL] FROM generate_series(1, 5000) n;
INSERT INTO child (parent, amount) SELECT n, n + 0.5 FROM generate_series(1, 5000) n;
INSERT INTO parts SELECT n, 'ü' || n FROM generate_series(0, 999) n;
INSERT INTO "odd ""name"""."tab	le" VALUES (E'semi;\tcolon\\.\n\\.');
COMMENT ON TABLE parent IS 'it''s; a comment';
REFRESH MATERIALIZED VIEW kept;
SELECT lo_from_bytea(4711, decode(repeat('00ff10', 20000), 'hex'));
SQL
}

# Of every table, how many rows and what they are; of the large object, its bytes.
tell_world() {
  local table
  for table in parent child parts kept '"odd ""name"""."tab	le"'; do
    sql -c "SELECT '$table', count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM $table t"
  done
  sql -c "SELECT count(*), md5(string_agg(data, '' ORDER BY pageno)) FROM pg_largeobject WHERE loid = 4711"
}

dumped_as() {
  pg_dump -F "$1" -f "$folder/dump" "${@:2}"
  sql -d postgres -c 'DROP DATABASE IF EXISTS again' -c 'CREATE DATABASE again'
}

story_dump_and_restore() {
  make_world
  tell_world >"$folder/before"
  dumped_as c
  pg_restore -d again "$folder/dump"
  PGDATABASE=again tell_world | diff "$folder/before" -
  dumped_as p --inserts --rows-per-insert=100
  sql -d again -f "$folder/dump" -o /dev/null
  PGDATABASE=again tell_world | diff "$folder/before" -
  rm "$folder/dump"
  dumped_as d -j 3
  pg_restore -j 3 -d again "$folder/dump"
  PGDATABASE=again tell_world | diff "$folder/before" -
  pg_dump -d again --schema-only | grep -v '^--\|^$\|restrict' | md5sum
  pg_dumpall --globals-only | grep -c ROLE
  cat "$folder/before"
}

story_psql() {
  sql -c 'CREATE TABLE t (a int, b text)'
  printf '%s\t%s\n' 1 one 2 two >"$folder/rows"
  sql -c "\\copy t FROM '$folder/rows'" -c "\\copy (SELECT * FROM t) TO '$folder/out'"
  diff "$folder/rows" "$folder/out"
  psql -X -a <<'SQL' 2>&1
\d t
\dt+ pg_catalog.pg_class
\df twice
SELECT a, b FROM t \gdesc
SELECT 'SELECT ' || a FROM t \gexec
SELECT a AS x FROM t WHERE a = 1 \gset
SELECT :x;
SELECT a, b, a FROM t \crosstabview
\set FETCH_COUNT 100
SELECT sum(n) FROM (SELECT generate_series(1, 1000) n) s;
SELECT generate_series(1, 250) \g | tail -n 2
\set AUTOCOMMIT off
\set ON_ERROR_ROLLBACK on
INSERT INTO t VALUES (3, 'three');
SELECT 1/0;
INSERT INTO t VALUES (4, 'four');
COMMIT;
SELECT * FROM t ORDER BY a;
\errverbose
SQL
}

story_psql_large_objects() {
  head -c 3000000 /dev/zero | tr '\0' 'x' >"$folder/in"
  psql -X -q -v ON_ERROR_STOP=1 -c "\\lo_import '$folder/in' comment" -c '\lo_list' -c "\\lo_export :LASTOID '$folder/out'" -c '\lo_unlink :LASTOID' | wc -l
  cmp "$folder/in" "$folder/out" && echo same
}

story_vacuumdb_and_reindexdb() {
  vacuumdb -z -q demo
  reindexdb -q demo
  createdb made && dropdb made
  pg_isready -q && echo ready
}

# Replication: what [protocol] replication = "pass" lets through.
story_recvlogical() {
  sql -c 'CREATE TABLE told (a int)'
  pg_recvlogical -d demo --slot s --create-slot -P test_decoding
  sql -c 'INSERT INTO told SELECT generate_series(1, 1000)' -c 'UPDATE told SET a = a + 1 WHERE a < 3'
  pg_recvlogical -d demo --slot s --start --no-loop -f - --endpos "$(sql -c 'SELECT pg_current_wal_insert_lsn()')" | sed 's/[0-9]*$//' | md5sum
  pg_recvlogical -d demo --slot s --drop-slot
}

story_basebackup() {
  pg_basebackup -D "$folder/base" -X stream -c fast --no-manifest
  test -f "$folder/base/PG_VERSION" && cat "$folder/base/PG_VERSION"
}

"story_$1"
