// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the grammar tells about one statement, for whoever decides by it: which link may run it and
// whether the link can be given away afterwards (pools), where it may go (routing), whether it is
// allowed (plugins). Facts are filled by the one walk over the parse tree, and lie in the Analysis
// that is cached by text: they are paid for once per text.
//
// When they are filled. Every statement that the grammar has read has facts: parse() fills them, and
// Analyzer::analyze_with_facts() answers with them always. Analyzer::analyze() may leave the grammar
// out (its pre-filter); such a statement has the facts of a default Facts, in which everything is
// unknown: the kind, the pins, and whether relations and functions are named. A text that nobody can
// read has no statements, and so no facts. The fingerprint is none of them, as few ask for it and it
// costs a parse of its own: see fingerprint() in analyzer.hpp.
//
// What the grammar cannot know. It sees names, and what stands for them is known to the server alone.
// Names are those of the text: a relation without a schema is looked up by search_path, a view stands
// for other relations, a trigger writes to them, CASCADE goes on to what depends on them, a parent
// stands for its children. A function may do anything. Code in strings is not read: the body of DO, of
// CREATE FUNCTION ... AS, a query in an argument of query_to_xml() or dblink(), nextval('name'),
// 'name'::regclass. So a rule of the kind "refuse what names t" refuses by mistake (a name means
// another relation), and lets pass by mistake (t is reached by a view): privileges stay the server's job.
//
// Unknown is a value: has_more_relations, has_more_functions, Pin::unknown and StatementKind::unknown
// say where the facts end. Whoever decides something has to have an answer for them that is not the
// client's favourite one.
//
// Lifetime: plain values, owned by the Statement. Thread rule: immutable like the Analysis.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::sql {

// By the statement's own parse node, whatever it contains: EXPLAIN ANALYZE INSERT is `explain`, a
// SELECT with an INSERT in its WITH is `select` (the relations tell that it writes).
enum class StatementKind : std::uint8_t {
  unknown,  // the grammar was not asked
  other,    // a node that this list does not know
  select,   // also VALUES, TABLE and SELECT INTO
  insert,
  update,
  delete_,
  merge,
  truncate,
  copy_from,
  copy_to,
  call,
  do_block,
  explain,
  prepare,  // the SQL statement; PREPARE TRANSACTION is `transaction`
  execute,
  deallocate,
  declare,
  fetch,  // FETCH, MOVE
  close,
  listen,
  unlisten,
  notify,
  lock,
  vacuum,
  analyze,
  maintenance,  // CLUSTER, REINDEX, REFRESH MATERIALIZED VIEW, CHECKPOINT
  transaction,  // BEGIN to ROLLBACK, savepoints, two-phase commit
  set,          // SET, RESET, SET CONSTRAINTS
  show,
  discard,
  load,
  grant,  // GRANT and REVOKE of privileges and roles
  ddl,    // CREATE (also TABLE AS), ALTER, DROP, COMMENT, SECURITY LABEL, REASSIGN OWNED, ...
};

// The kind in one word of lower case: "select", "delete", "copy_from", "do", ...
[[nodiscard]] std::string_view to_word(StatementKind kind);

// A table, view, sequence or other relation by the name that the text has for it. Names are as the
// grammar reads them: in lower case where not quoted, cut to 63 bytes, without quotes and escapes.
struct Relation {
  std::string catalog;  // empty: not written
  std::string schema;   // empty: not written
  std::string name;
  // What the text does with it; more than one may hold. Also of queries that this statement only
  // stores, plans or explains: whether it runs them is for the kind to say.
  //
  // Read: FROM, USING, JOIN, LIKE, COPY TO; the target of UPDATE, DELETE and MERGE, and of INSERT with
  // RETURNING or ON CONFLICT, as they show what stood there; LOCK in a mode that readers need.
  bool is_read = false;
  // Written: the target of INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY FROM, REFRESH; LOCK in a mode
  // that only writers need. FOR UPDATE and FOR SHARE are reading.
  bool is_written = false;
  // Made, changed, dropped, granted, indexed, referenced by a foreign key, vacuumed, ...: anything that is
  // about the relation and not its rows. The new name of a RENAME is not told.
  bool is_defined = false;
  bool operator==(const Relation&) const = default;
};

// A function, aggregate or procedure that the text calls. COALESCE, GREATEST, CURRENT_USER, JSON_VALUE
// and their like are grammar and no functions. Some are written in a syntax of their own, and stand
// here as what the grammar makes of them: EXTRACT as pg_catalog.extract, AT TIME ZONE as
// pg_catalog.timezone, TRIM, OVERLAY, POSITION, SUBSTRING, LIKE ... ESCAPE and so on. Operators and casts
// are functions too, but have no name in the text: they are not here.
struct Function {
  std::string schema;  // empty: not written
  std::string name;
  bool operator==(const Function&) const = default;
};

// A reason why something of this statement may outlast its transaction, so that the session must keep
// its link, or the link must be cleaned, or somebody has to follow the state in the session's place.
// The reader masks what it deals with. Pins count what the statement runs: what PREPARE or CREATE VIEW
// only store, and what EXPLAIN only explains, pins nothing.
enum class Pin : std::uint16_t {
  // LISTEN.
  listen = 1U << 0U,
  // Anything made TEMP or in pg_temp, unless it is ON COMMIT DROP. What is made without a schema while
  // search_path begins with pg_temp is not seen, but has hidden_code.
  temporary_object = 1U << 1U,
  // DECLARE ... WITH HOLD.
  holdable_cursor = 1U << 2U,
  // The statement PREPARE of SQL. The Parse of the protocol is no part of a text.
  prepared_statement = 1U << 3U,
  // pg_advisory_lock(), pg_try_advisory_lock(), also _shared; not _xact_.
  advisory_lock = 1U << 4U,
  // LOAD: stays until the server process ends.
  library = 1U << 5U,
  // setseed(), replication origins and slots, dblink_connect(): stays in the server process, and no
  // DISCARD clears it.
  process_state = 1U << 6U,
  // nextval(), setval(), currval(), lastval(): what the session has drawn last.
  sequence = 1U << 7U,
  // SET, RESET, DISCARD ALL, set_config(), UPDATE pg_settings, of any setting. Not what ends with the
  // transaction: SET LOCAL, SET TRANSACTION, set_config(..., true).
  setting = 1U << 8U,
  // The statement names a relation (other than to read one that is written pg_catalog.name) or defines
  // something. So code may run that the text does not name: of a view, a rule, a trigger, a policy, a
  // default, an index, an event trigger. A reader who knows what the relations are (`relations`, and the
  // server's catalogue) may take it away; so may one who looks at the link afterwards.
  hidden_code = 1U << 9U,
  // The grammar was not asked, or the text itself runs code that the grammar cannot look into: DO, CALL,
  // EXECUTE, CREATE and ALTER EXTENSION, and any function that is not known to leave nothing behind.
  //
  // Known are some 450 functions of pg_catalog, written so or without a schema: aggregates, text, numbers,
  // times, JSON, arrays, and what drivers ask the catalogue (function_pins.c). Where somebody has made a
  // function of such a name, for arguments of his own or in a schema that search_path has in front, it is
  // taken for the known one. Operators, casts and the input and output of types are taken for harmless, too:
  // they are functions, but nearly every statement has some. So a reader for whom state left behind would
  // be more than untidy looks at the link now and then, whatever the pins say. FETCH and MOVE run what
  // DECLARE or a Bind brought, and it was counted there.
  unknown = 1U << 10U,
};

class Pins {
 public:
  constexpr Pins() = default;
  constexpr explicit Pins(Pin pin) : bits_(static_cast<std::uint16_t>(pin)) {}

  [[nodiscard]] constexpr bool has(Pin pin) const {
    return (bits_ & static_cast<std::uint16_t>(pin)) != 0;
  }
  [[nodiscard]] constexpr bool is_empty() const { return bits_ == 0; }
  constexpr void add(Pin pin) { bits_ |= static_cast<std::uint16_t>(pin); }
  bool operator==(const Pins&) const = default;

 private:
  std::uint16_t bits_ = 0;
};

// The most relations that facts list, and the most functions.
inline constexpr std::size_t kMaxFactNames = 64;

// A default one says that nothing is known.
struct Facts {
  StatementKind kind = StatementKind::unknown;
  // There are, or may be, others than those below: more than kMaxFactNames; VACUUM of a whole database, ALL
  // TABLES IN SCHEMA, DROP SCHEMA and their like; DO, EXECUTE, FETCH, which run what is written elsewhere.
  bool has_more_relations = true;
  bool has_more_functions = true;
  // Is there a WHERE, a LIMIT (or FETCH FIRST; not LIMIT ALL), in the outermost query: the statement itself,
  // or what it explains, prepares, declares, copies or makes a table of. Nothing where the grammar has no such
  // clause: WHERE for SELECT, UPDATE, DELETE and COPY FROM, but not for UNION and VALUES; LIMIT for all SELECT.
  std::optional<bool> has_where;
  std::optional<bool> has_limit;
  Pins pins{Pin::unknown};
  // No two alike, in no particular order; also those of subqueries, WITH, stored bodies. The name of a WITH
  // query in scope is no relation; as the target of a write it is one, as in PostgreSQL.
  std::vector<Relation> relations;
  std::vector<Function> functions;
  bool operator==(const Facts&) const = default;
};

}  // namespace helios::sql
