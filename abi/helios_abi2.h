/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HELIOS_ABI2_H
#define HELIOS_ABI2_H

/*
 * ABI 2 in plain C: no JSON, no allocator, nothing to free. A hook takes nothing; it asks the host for
 * what it wants to know, and tells it what it decides. helios/plugin.hpp (C++) and abi/rust (Rust) are
 * comfortable ways to use it; docs/plugin-abi.md explains it. It only ever grows: a module that was
 * built against it runs for ever, and what is new has a new name or a new number.
 *
 * WHAT A MODULE EXPORTS
 *
 *   memory                            its linear memory
 *   helios_abi_version() -> i32       2; called once, when the module is loaded. Must not import anything
 *                                     to find out.
 *   _initialize()                     optional; once per instance, before its first hook
 *   authenticate, pre_query, post_query, settled, check_write, event   the hooks that it wants, each () -> i32 or () -> ()
 *
 *   authenticate  a client has introduced itself; the server has not been asked yet
 *   pre_query     before a statement execution; here, and in authenticate, a verdict can be given
 *   post_query    it has ended: exactly once for each pre_query that ran
 *   settled       the transaction that it ran in has ended: exactly once, after post_query
 *   check_write   somebody outside wants to set a key: helios_block(), or a failure, refuses. It cannot change state.
 *   event         something happened that is about no statement: the proxy has started, somebody was blocked, ...
 *
 * A hook that returns anything but 0 has failed, as if it had trapped: nothing that it did happens, and
 * the manifest's `on_error` decides about the statement. (A hook without result has not.)
 *
 * ONE CALL IS ONE TRANSACTION
 *
 * Everything that one hook call reads and writes in its namespace, and its verdict, scratch, log lines
 * and metrics, happen together when it returns, or not at all. When something that it read has changed
 * meanwhile it is run again from its beginning, on a clean instance.
 *
 * MEMORY
 *
 * Pointers and lengths are unsigned 32-bit numbers and name ranges of the module's own memory. The host
 * reads an argument before it returns and keeps no pointer; what it writes is the module's. It never
 * calls back into the module. A range that is not inside the memory is the module's mistake and ends the
 * call with a trap; an empty range may point anywhere. Texts are bytes: no terminator, and in the
 * client's encoding. Numbers that the host writes to memory are little-endian and need no alignment.
 *
 * With `instance = "reuse"` in the manifest, an instance is kept for later calls, of whatever tenant:
 * what is in its memory is a cache. After an attempt that did not commit it is thrown away.
 *
 * RESULTS
 *
 * i32, never negative for success. What happens to a call that cannot go on (its time is up, the store
 * is broken, something must be read again) is not the module's business: it does not come back from the
 * import.
 */

#include <stdint.h>

#define HELIOS_ABI_VERSION 2

enum {
  HELIOS_OK = 0,
  HELIOS_MISSING = -1,   /* there is no such thing */
  HELIOS_TOO_SMALL = -2, /* it does not fit into the buffer; nothing was written */
  HELIOS_UNMET = -3,     /* a condition does not hold; nothing was changed */
  HELIOS_LIMIT = -4,     /* a quota or a size; nothing was changed */
  HELIOS_INVALID =
      -5, /* not in this hook, or an argument that means nothing; nothing was changed */
  HELIOS_WRONG_TYPE = -6, /* the value is not of that kind; nothing was changed */
  HELIOS_OVERFLOW = -7    /* the result is not a number of 64 bits; nothing was changed */
};

/* Fields of helios_field(): bytes. */
enum {
  HELIOS_TEXT = 1, /* the statement as it will run; missing in settled and of a function call */
  HELIOS_ORIGINAL_TEXT = 2, /* as the client sent it, before plugins rewrote it; missing likewise */
  HELIOS_USER = 3,
  HELIOS_DATABASE = 4,
  HELIOS_CLIENT_ADDRESS = 5, /* missing for a Unix socket */
  HELIOS_SESSION_ID = 6,     /* a UUID */
  HELIOS_TENANT = 7,         /* missing when there is none */
  HELIOS_REQUEST_ID = 8,     /* a UUID per statement execution, the same in all of its hooks */
  HELIOS_COMMAND_TAG = 9,    /* "SELECT 1"; this and what follows in post_query and settled */
  HELIOS_SQLSTATE = 10,      /* of the error that ended it; missing when there was none */
  HELIOS_ERROR_MESSAGE = 11,
  /* Of a statement that SQL EXECUTE runs: that EXECUTE's own text, arguments included. Missing of all
   * others, and in settled. */
  HELIOS_EXECUTE_TEXT = 12,
  /* HELIOS_TEXT, HELIOS_EXECUTE_TEXT and HELIOS_ERROR_MESSAGE without secrets: passwords and keys have become "***",
   * all else is as it was; docs/plugin-abi.md says what counts as one. For whatever is kept or sent on. Worked out when a
   * hook asks for it, once for each text. Missing where the other one is. */
  HELIOS_REDACTED_TEXT = 13,
  HELIOS_REDACTED_EXECUTE_TEXT = 14,
  HELIOS_REDACTED_ERROR_MESSAGE = 15,
  HELIOS_WRITE_KEY = 16, /* in check_write, which has no other field */
  HELIOS_WRITE_VALUE = 17,
  /* In event, which has no other fields: what happened, by a word, and one JSON object that tells more of it, at most 32 KiB.
   * docs/plugin-abi.md lists them. More words come with later versions. */
  HELIOS_EVENT_KIND = 18,
  HELIOS_EVENT_DETAIL = 19
};

/* Fields of helios_field_number(). */
enum {
  HELIOS_STATEMENT_ID = 101, /* unique as long as the proxy runs */
  HELIOS_IS_READ_ONLY = 102, /* 1 or 0, by the kind of statement */
  HELIOS_ORIGIN = 103,       /* HELIOS_ORIGIN_* */
  HELIOS_PARAMETER_COUNT = 104,
  HELIOS_OUTCOME = 105, /* HELIOS_OUTCOME_*; this and what follows in post_query and settled */
  HELIOS_ROWS = 106,    /* missing when the command tag has no count */
  HELIOS_RESPONSE_BYTES = 107, /* all messages of its answer, framing included */
  HELIOS_DURATION_NS = 108,
  HELIOS_SETTLEMENT =
      109, /* HELIOS_SETTLED_*; in settled, and in post_query where it is known by then */
  /* 64 bits, by PostgreSQL's grammar, of HELIOS_ORIGINAL_TEXT: texts that differ in constants, layout and
   * comments alone have the same. Worked out when a hook asks for it; only to be compared with others of
   * the same version of the proxy. Missing in settled, of a function call, of a text that the grammar
   * refuses or cannot be read, and of one of more than 64 KiB. */
  HELIOS_FINGERPRINT = 110,
  /* 1: HELIOS_REDACTED_TEXT or HELIOS_REDACTED_EXECUTE_TEXT hides something; 0: neither does. Missing with the first. */
  HELIOS_IS_REDACTED = 111,
  /* How often plugins have rewritten the statement so far: where post_query finds the number of its pre_query, the
   * text that ran is the one that it saw then. */
  HELIOS_REWRITES = 112,
  /* 1: by the kind of statement it only manages the session (BEGIN, COMMIT, SET, SHOW, PREPARE, LISTEN, ...), and is told to
   * plugins with `statements = "all"` alone; 0: it does something else as well, or nobody can tell. A COMMIT can be work all
   * the same: deferred triggers run in it. */
  HELIOS_MANAGES_SESSION = 113
};

enum {
  HELIOS_ORIGIN_QUERY = 0,        /* a statement of a Query message */
  HELIOS_ORIGIN_EXECUTE = 1,      /* a portal: a prepared statement and its parameters */
  HELIOS_ORIGIN_FUNCTION_CALL = 2 /* a FunctionCall, which has no text */
};

enum {
  HELIOS_OUTCOME_EXECUTED = 0, /* the server completed it */
  HELIOS_OUTCOME_ANSWERED = 1, /* the rows of a plugin were its answer */
  HELIOS_OUTCOME_FAILED = 2,   /* the server answered it with an error */
  HELIOS_OUTCOME_REFUSED = 3,  /* it never ran: a plugin or the proxy refused its message */
  HELIOS_OUTCOME_SKIPPED = 4,  /* it never ran: an earlier statement of its message failed */
  HELIOS_OUTCOME_LOST = 5,     /* the connection ended before the answer: it may have run */
  /* It may have run, nobody can say. A module takes a number that it does not know for this one. */
  HELIOS_OUTCOME_UNKNOWN = 6
};

enum { HELIOS_SETTLED_COMMITTED = 0, HELIOS_SETTLED_ROLLED_BACK = 1, HELIOS_SETTLED_UNKNOWN = 2 };

enum { HELIOS_LOG_DEBUG = 0, HELIOS_LOG_INFO = 1, HELIOS_LOG_WARNING = 2, HELIOS_LOG_ERROR = 3 };

enum {
  HELIOS_IDENTITY_USER_ID = 1,
  HELIOS_IDENTITY_USERNAME = 2,
  HELIOS_IDENTITY_TENANT = 3,
  HELIOS_IDENTITY_ROLE = 4
};

#define HELIOS_SCRATCH_BYTES 256

/* No bound, for helios_kv_incr() and helios_kv_charge(). */
#define HELIOS_NO_UPPER_LIMIT INT64_MAX
#define HELIOS_NO_LOWER_LIMIT INT64_MIN

/* Flags of helios_kv_set_ex() and helios_kv_cas(). */
enum {
  HELIOS_KV_IF_ABSENT = 1,
  HELIOS_KV_IF_PRESENT = 2,
  HELIOS_KV_KEEP_TTL = 4, /* a key that is there keeps its time; ttl_ms is for one that is made */
  HELIOS_KV_DELETE = 8    /* delete the key; the value is not looked at */
};

/* Versions of keys: any other number is one that was committed, and is never used for another value. */
#define HELIOS_VERSION_ABSENT UINT64_C(0)
#define HELIOS_VERSION_OWN UINT64_MAX /* what this hook call has written itself */

typedef struct helios_kv_meta {
  uint64_t version;
  uint32_t size; /* of the value */
  uint32_t reserved;
  int64_t ttl_left_ms; /* -1: it never expires */
} helios_kv_meta;

typedef struct helios_kv_bucket {
  int64_t remaining;      /* whole tokens that are there */
  int64_t retry_after_ns; /* 0 when it was allowed; -1: more than the bucket holds */
  int64_t reset_after_ns; /* until the bucket is full */
} helios_kv_bucket;

#ifdef __wasm__
#define HELIOS_IMPORT(name) __attribute__((import_module("env"), import_name(name)))
#define HELIOS_EXPORT(name) __attribute__((export_name(name), used, visibility("default")))
#else
/* A native build, for tests and debuggers: helios/fake_host.hpp defines the imports. */
#define HELIOS_IMPORT(name)
#define HELIOS_EXPORT(name)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what is asked about ------------------------------------------------------------------------ */

/* Copies a field of bytes to `out`. Returns its length (0 is an empty text, not a missing one).
 * MISSING: it has none, or not in this hook. TOO_SMALL. INVALID: no such field. */
HELIOS_IMPORT("field")
int32_t helios_field(uint32_t field, char* out, uint32_t out_max);

/* The length that helios_field() would return for a buffer that is large enough. MISSING. INVALID. */
HELIOS_IMPORT("field_length")
int32_t helios_field_length(uint32_t field);

/* Copies of a field what stands from byte `from` on, as much as there is room for: so that no text has to fit
 * into the plugin's memory. Returns the bytes copied; 0 behind the end. MISSING. INVALID. */
HELIOS_IMPORT("field_part")
int32_t helios_field_part(uint32_t field, uint32_t from, char* out, uint32_t out_max);

/* Writes the SHA-256 of a field, however long it is, to `out` as 64 hexadecimal digits; returns 64. MISSING. INVALID. */
HELIOS_IMPORT("field_sha256_hex")
int32_t helios_field_sha256_hex(uint32_t field, char* out);

/* Writes a number field to `out`, 8 bytes. Returns OK. MISSING. INVALID. */
HELIOS_IMPORT("field_number")
int32_t helios_field_number(uint32_t field, int64_t* out);

/* Copies an attribute to `out`: "tenant_id", "application_name", "client_ip", "agent_id", "model_id",
 * "identity.roles", every helios.* setting under its own name, and the manifest's [config] as
 * "config.<key>". Returns its length. MISSING. TOO_SMALL. In authenticate:
 * config.*, and os_user, client_uid and client_pid of a client on a Unix socket. */
HELIOS_IMPORT("attribute")
int32_t helios_attribute(const char* name, uint32_t name_len, char* out, uint32_t out_max);

/* What kind of parameter `index` (from 0) is: writes 12 bytes to `out`, its type's OID as Parse declared
 * it (0: left to the server), its format (0 text, 1 binary), and its length (-1: NULL). Returns OK.
 * MISSING: there are not so many, or no longer (in settled). */
typedef struct helios_parameter_kind {
  uint32_t type_oid;
  uint32_t format;
  int32_t length;
} helios_parameter_kind;
HELIOS_IMPORT("parameter_kind")
int32_t helios_get_parameter_kind(uint32_t index, helios_parameter_kind* out);

/* Copies the value of parameter `index` to `out`, as the client sent it. Returns its length. MISSING:
 * there are not so many. UNMET: it is NULL. TOO_SMALL. */
HELIOS_IMPORT("parameter")
int32_t helios_get_parameter(uint32_t index, char* out, uint32_t out_max);

/* The same two for the value of a parameter. MISSING: there are not so many. UNMET: it is NULL. */
HELIOS_IMPORT("parameter_part")
int32_t helios_get_parameter_part(uint32_t index, uint32_t from, char* out, uint32_t out_max);
HELIOS_IMPORT("parameter_sha256_hex")
int32_t helios_get_parameter_sha256_hex(uint32_t index, char* out);

/* The HMAC-SHA-256 of the value of a parameter, with a key that stands beside the state of the proxy and that no plugin sees, as 64
 * hexadecimal digits: equal values have equal ones, and whoever reads them cannot try guesses, as he could with a SHA-256. For
 * whatever is kept of a value. Returns 64. MISSING, UNMET: as above. */
HELIOS_IMPORT("parameter_hmac_hex")
int32_t helios_get_parameter_hmac_hex(uint32_t index, char* out);

/* ---- notes from pre_query to post_query and settled --------------------------------------------- */

/* Keeps up to HELIOS_SCRATCH_BYTES for this statement execution, over what was kept before. Returns OK.
 * LIMIT: more than that. INVALID: not in pre_query. */
HELIOS_IMPORT("scratch_set")
int32_t helios_scratch_set(const char* bytes, uint32_t length);

/* Copies what pre_query kept to `out`. Returns its length, 0 when it kept nothing. TOO_SMALL. */
HELIOS_IMPORT("scratch_get")
int32_t helios_scratch_get(char* out, uint32_t out_max);

/* ---- one call instead of two --------------------------------------------------------------------- */

/* In post_query: it is known what became of the transaction (HELIOS_SETTLEMENT), as it mostly is outside of transaction
 * blocks, and this plugin gets no settled call for this statement execution. Returns OK. UNMET: it is not known yet, so
 * settled will come. INVALID: not in post_query. */
HELIOS_IMPORT("skip_settled")
int32_t helios_skip_settled(void);

/* ---- the verdict: in pre_query, of several the last one counts; none is "let it run" -------------- */

/* Refuses the statement, and the message that it came in. In authenticate: turns the client away. In check_write: refuses
 * the write. The reason is what the client, or the operator, reads; at most 4096 bytes of it, what is not UTF-8 is replaced. The
 * SQLSTATE is five digits or capital letters, not of the classes 00, 01 and 02; empty is 42000. Returns
 * OK. INVALID: not in this hook; or the SQLSTATE is not one, and then it is refused with 42000. */
HELIOS_IMPORT("block")
int32_t helios_block(const char* reason, uint32_t reason_len, const char* sqlstate,
                     uint32_t sqlstate_len);

/* Says more of a refusal, for the client and for GET /refusals: one call for each HELIOS_EXPLAIN_*, before block or
 * after it; without a block it counts nothing, but for the hint of limit_rows and limit_bytes. At most 4096 bytes, as for the reason. Returns OK. INVALID: not in this
 * hook, or no such part. */
#define HELIOS_EXPLAIN_DETAIL 1
#define HELIOS_EXPLAIN_HINT 2
HELIOS_IMPORT("explain")
int32_t helios_explain(uint32_t part, const char* text, uint32_t text_len);

/* Runs this text instead: one statement, which plugins after this one see. Returns OK. INVALID: not in
 * this hook. An empty text, one with a NUL byte, and one beyond the limit on answers trap: letting the
 * statement run as it is would be worse. */
HELIOS_IMPORT("rewrite")
int32_t helios_rewrite(const char* sql, uint32_t sql_len);

/* Bounds the answer of the statement, which may run: no more than so many rows (DataRow messages; in COPY TO STDOUT each
 * CopyData message is one), and no more than so many bytes of these messages, reach the client. A row that would go beyond
 * is not sent; the statement is cancelled, and the client gets ErrorResponse 54000 in the place of its end. 0: no row
 * may pass. A negative number: no limit, as when this is not called. Of several plugins the smallest limit of each kind
 * holds. Counts with none and with rewrite, not with block and answer; explain may say what to do (HELIOS_EXPLAIN_HINT).
 * Each returns OK. INVALID: not in this hook. */
HELIOS_IMPORT("limit_rows")
int32_t helios_limit_rows(int64_t most);
HELIOS_IMPORT("limit_bytes")
int32_t helios_limit_bytes(int64_t most);

/* Answers the statement with rows: begin, then a call for each column, then a call for each value, row
 * by row, in text format. A row that is not complete when the hook returns, and more bytes than an answer
 * may have, fail the hook. Each returns OK. INVALID: not in this hook, or not at this point: a column
 * without begin or after a value, a value without columns, a name with a NUL byte, an OID of 0. */
HELIOS_IMPORT("answer_begin")
int32_t helios_answer_begin(void);
HELIOS_IMPORT("answer_column")
int32_t helios_answer_column(const char* name, uint32_t name_len, uint32_t type_oid);
HELIOS_IMPORT("answer_value")
int32_t helios_answer_value(const char* value, uint32_t value_len);
HELIOS_IMPORT("answer_null")
int32_t helios_answer_null(void);

/* In authenticate: says who the client is, in force once the server has accepted it. One call for each
 * HELIOS_IDENTITY_*; a role is added to those before. A tenant is fixed for the session. Returns OK.
 * LIMIT: more than 1024 bytes, or 100 roles. INVALID: not in this hook, no such part, or a NUL byte. */
HELIOS_IMPORT("identify")
int32_t helios_identify(uint32_t part, const char* text, uint32_t text_len);

/* ---- state: the module's own namespace ----------------------------------------------------------- */

/* Copies the value of a key to `out`. Returns its length (0 is an empty value). MISSING. TOO_SMALL. */
HELIOS_IMPORT("kv_get")
int32_t helios_kv_get(const char* key, uint32_t key_len, char* out, uint32_t out_max);

/* Sets a key. Returns OK, or -1: the key is empty or too long, the value too large, the namespace full. */
HELIOS_IMPORT("kv_set")
int32_t helios_kv_set(const char* key, uint32_t key_len, const char* value, uint32_t value_len);

/* Deletes a key, if it is there. Returns OK. */
HELIOS_IMPORT("kv_delete")
int32_t helios_kv_delete(const char* key, uint32_t key_len);

/* Adds `delta` to the counter under a key, a value of 8 bytes, and writes the sum to `out`. A counter that
 * is not there begins at 0 and, when ttl_ms is not 0, is gone so many milliseconds later; one that is
 * there keeps its time. `limit` bounds the sum in the direction of `delta`. A delta of 0 only reads.
 * Returns OK. MISSING: delta is 0 and there is none. UNMET: beyond the limit; `out` has what it is now.
 * LIMIT: the store's. INVALID: the key is empty or too long, or ttl_ms is negative or absurd. WRONG_TYPE: the
 * value is not of 8 bytes. OVERFLOW. */
HELIOS_IMPORT("kv_incr")
int32_t helios_kv_incr(const char* key, uint32_t key_len, int64_t delta, int64_t limit,
                       int64_t ttl_ms, int64_t* out);

/* Sets a key that is gone ttl_ms milliseconds later (0: never), with HELIOS_KV_IF_ABSENT only if it is not
 * there, with HELIOS_KV_IF_PRESENT only if it is, with HELIOS_KV_KEEP_TTL without changing the time of one
 * that is there. Returns OK. UNMET. LIMIT: the value or the store. INVALID: the key is empty or too long,
 * ttl_ms is negative or absurd, or the flags. */
HELIOS_IMPORT("kv_set_ex")
int32_t helios_kv_set_ex(const char* key, uint32_t key_len, const char* value, uint32_t value_len,
                         int64_t ttl_ms, uint32_t flags);

/* As helios_kv_get(), and what belongs to the key to `meta`, 24 bytes: also with TOO_SMALL, and all zero
 * with MISSING. With out_max 0 it only asks. INVALID: the key is empty or too long. */
HELIOS_IMPORT("kv_get_ex")
int32_t helios_kv_get_ex(const char* key, uint32_t key_len, char* out, uint32_t out_max,
                         helios_kv_meta* meta);

/* Sets a key, or deletes it, if its version is `version`: HELIOS_VERSION_ABSENT if it must not be there,
 * HELIOS_VERSION_OWN if this hook call must have written it. Returns OK, and what its version is now to
 * `version_out`: HELIOS_VERSION_OWN, until the call has committed nobody knows it, or 0. UNMET:
 * `version_out` has what it is. LIMIT, INVALID: as helios_kv_set_ex(). */
HELIOS_IMPORT("kv_cas")
int32_t helios_kv_cas(const char* key, uint32_t key_len, uint64_t version, const char* value,
                      uint32_t value_len, int64_t ttl_ms, uint32_t flags, uint64_t* version_out);

/* Takes `cost` tokens from the bucket under a key, which holds `burst` of them and gets `tokens` back in
 * period_ns: never more than burst + time / period_ns * tokens in any stretch of time, whatever runs at
 * once. A key that is not there is a full bucket; one that is full is not kept. A cost of 0 only looks, a
 * negative one gives back. Returns 1 if they were there, or 0, and nothing was taken; what is left to
 * `bucket`, 24 bytes. LIMIT: the store's. INVALID: the key is empty or too long, burst is negative, tokens
 * is not positive, or they are more than one per nanosecond. WRONG_TYPE: the value is not of 8 bytes.
 * OVERFLOW: an empty bucket would take longer than 36 years to fill. */
HELIOS_IMPORT("kv_take")
int32_t helios_kv_take(const char* key, uint32_t key_len, int64_t cost, int64_t burst,
                       int64_t tokens, int64_t period_ns, helios_kv_bucket* bucket);

/* Adds `amount` to the counter under a key if the sum stays within `limit`: at most that, and where amount is
 * negative at least that. The counter is as of helios_kv_incr(), with ttl_ms; one that is not there holds 0,
 * and a sum beyond 64 bits is beyond every limit. An amount of 0 only asks. Returns 1 if it was added, or 0,
 * and nothing was; how much there is, it does not say. That is why calls that only charge a key do not
 * overtake one another: the call runs again only if its answer would be another one when it commits. A call
 * that reads the key as well, in any way, is overtaken as every reader is. LIMIT: the store's. INVALID: the
 * key is empty or too long, or ttl_ms is negative or absurd. WRONG_TYPE: the value is not of 8 bytes. */
HELIOS_IMPORT("kv_charge")
int32_t helios_kv_charge(const char* key, uint32_t key_len, int64_t amount, int64_t limit,
                         int64_t ttl_ms);

/* As helios_kv_take(), of the same buckets, without what is left: so calls that only draw from a bucket do
 * not overtake one another, as with helios_kv_charge(). Returns 1 if the tokens were there, or 0. LIMIT,
 * INVALID, WRONG_TYPE, OVERFLOW: as there. */
HELIOS_IMPORT("kv_draw")
int32_t helios_kv_draw(const char* key, uint32_t key_len, int64_t cost, int64_t burst,
                       int64_t tokens, int64_t period_ns);

/* Copies to `out` which keys begin with `prefix` and are greater than `after` (empty: from the first), in
 * bytewise order, at most 256 of them and as many as fit: for each 4 bytes length of the key, 4 bytes length
 * of the value, the key. Returns the bytes written; 0: there are no more. TOO_SMALL: the next one does not
 * fit. When a key has come into the namespace or left it before the hook call ends, the call runs again. */
HELIOS_IMPORT("kv_scan")
int32_t helios_kv_scan(const char* prefix, uint32_t prefix_len, const char* after,
                       uint32_t after_len, char* out, uint32_t out_max);

/* Appends a record to a stream of the namespace, which is made with its first record. What the hook call
 * appends and sets is kept together, or not at all. The proxy numbers the records of a stream 1, 2, 3, ...
 * without a gap, in the order in which calls commit, and chains them by SHA-256; so appending never
 * conflicts, and nothing can change a record afterwards. Streams are on disk, and need not fit into memory.
 * Returns OK. LIMIT: the record is too large, or there is no room; pre_query and authenticate are refused a
 * little earlier, so that what they let begin can be recorded when it ends. INVALID: no stream's name (1 to
 * 64 letters, digits, '-', '_' and '.', not beginning with '.'). */
HELIOS_IMPORT("stream_append")
int32_t helios_stream_append(const char* stream, uint32_t stream_len, const char* record,
                             uint32_t record_len);

/* ---- the rest ------------------------------------------------------------------------------------ */

/* Writes the SHA-256 of the input to `out` as 64 lower-case hexadecimal digits; returns 64. */
HELIOS_IMPORT("sha256_hex")
int32_t helios_sha256_hex(const char* input, uint32_t input_len, char* out);

/* Milliseconds since 1970-01-01 UTC. One hook call sees one value, however often it asks. */
HELIOS_IMPORT("time_now_ms")
int64_t helios_time_now_ms(void);

/* A line for the proxy's log; beyond 1024 bytes it is cut. Returns OK. LIMIT: more than 16 lines in one
 * call. INVALID: no such level. The log keeps 100 lines of a plugin in a second. */
HELIOS_IMPORT("log")
int32_t helios_log(uint32_t level, const char* line, uint32_t line_len);

/* Adds to a counter of the plugin's own, helios_plugin_metric{plugin,name} of /metrics. A name has 1 to 64
 * letters, digits and underscores. Returns OK. LIMIT: more than 64 names of this plugin, or 16 calls in one
 * hook call. INVALID: the name, or a negative amount. */
HELIOS_IMPORT("metric_add")
int32_t helios_metric_add(const char* name, uint32_t name_len, int64_t amount);

#ifdef __cplusplus
}
#endif

#endif /* HELIOS_ABI2_H */
