// SPDX-License-Identifier: Apache-2.0

// Loaded by the server of a test: writes down what the server plans, runs and ends, at every depth, one line of JSON
// for each event, into a file per backend. Only what carries the mark of the generator in its own text is an event:
// a comment that begins with a digit. Lines go out by one write() each, before the server does what they say.

// clang-format off: the server's headers want this one first
#include "postgres.h"
// clang-format on

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "optimizer/planner.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

PG_MODULE_MAGIC;

void _PG_init(void);

enum { kStarted = 64 };

static char* directory;
static int file = -1;
static uint64 next_event = 1;
static uint64 enclosing_event;  // the event inside of which the server is now; 0: none
static int depth;
// The utility command that the server is in.
static struct {
  const char* source;
  int location;
  int length;
} command;
static uint64 transaction = 1;
static bool transaction_has_events;

// Executions that have begun, newest first to be overwritten: a portal that is read in parts is one execution.
static struct {
  const QueryDesc* query;
  uint64 number;
} started[kStarted];
static uint64 next_execution = 1;

static planner_hook_type next_planner;
static ExecutorStart_hook_type next_start;
static ExecutorRun_hook_type next_run;
static ProcessUtility_hook_type next_utility;
static object_access_hook_type next_access;

static bool is_recording(void) { return directory && directory[0] && !IsParallelWorker(); }

// ---- Lines

static void write_line(StringInfo line) {
  appendStringInfoString(line, "}\n");
  if (file < 0) {
    char* path = psprintf("%s/%d", directory, MyProcPid);
    file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) elog(FATAL, "cannot open %s: %m", path);
  }
  if (write(file, line->data, line->len) != line->len) elog(FATAL, "cannot write an event: %m");
  pfree(line->data);
}

static void add_text(StringInfo line, const char* name, const char* value) {
  appendStringInfo(line, ",\"%s\":", name);
  if (value)
    escape_json(line, value);
  else
    appendStringInfoString(line, "null");
}

static uint64 begin_line(StringInfo line, const char* kind) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  initStringInfo(line);
  appendStringInfo(line, "{\"kind\":\"%s\",\"event\":" UINT64_FORMAT ",\"ns\":%lld", kind,
                   next_event, (long long)now.tv_sec * 1000000000 + now.tv_nsec);
  return next_event++;
}

// As text, as PostgreSQL would print them.
static void add_parameters(StringInfo line, ParamListInfo params) {
  appendStringInfoString(line, ",\"parameters\":[");
  for (int i = 0; params && i < params->numParams && IsTransactionState(); i++) {
    ParamExternData room;
    ParamExternData* param =
        params->paramFetch ? params->paramFetch(params, i + 1, true, &room) : &params->params[i];
    if (i) appendStringInfoChar(line, ',');
    if (param->isnull || !OidIsValid(param->ptype)) {
      appendStringInfoString(line, "null");
    } else {
      Oid output;
      bool is_varlena;
      getTypeOutputInfo(param->ptype, &output, &is_varlena);
      escape_json(line, OidOutputFunctionCall(output, param->value));
    }
  }
  appendStringInfoChar(line, ']');
}

// The statement's own part of the text that the server was given.
static char* own_text(const char* source, int location, int length) {
  if (!source) return pstrdup("");
  if (location < 0) return pstrdup(source);
  source += location;
  return length > 0 ? pnstrdup(source, length) : pstrdup(source);
}

static bool is_marked(const char* text) {
  for (const char* at = strstr(text, "/*"); at; at = strstr(at + 2, "/*"))
    if (at[2] >= '0' && at[2] <= '9') return true;
  return false;
}

// What all events have. Returns the event's number; 0 where it is none.
static uint64 note(StringInfo line, const char* kind, const char* text) {
  uint64 event;
  if (!is_marked(text)) return 0;
  event = begin_line(line, kind);
  appendStringInfo(line,
                   ",\"inside\":" UINT64_FORMAT ",\"depth\":%d,\"transaction\":" UINT64_FORMAT
                   ",\"sub\":%u",
                   enclosing_event, depth, transaction, (unsigned)GetCurrentSubTransactionId());
  add_text(line, "text", text);
  add_text(line, "tenant", GetConfigOption("helios.tenant_id", true, false));
  add_text(line, "portal", ActivePortal ? ActivePortal->name : NULL);
  add_text(line, "statement", ActivePortal ? ActivePortal->prepStmtName : NULL);
  transaction_has_events = true;
  return event;
}

static void note_end(uint64 event, uint64 rows) {
  StringInfoData line;
  if (!event) return;
  begin_line(&line, "end");
  appendStringInfo(&line, ",\"of\":" UINT64_FORMAT ",\"rows\":" UINT64_FORMAT, event, rows);
  write_line(&line);
}

// ---- Hooks

// The statement inside of DECLARE or EXPLAIN does not know its place in the text: it is that of the command.
static void place_of_inner(Query* parse, const char* source) {
  if (parse->stmt_len == 0 && parse->stmt_location <= 0 && command.source &&
      strcmp(command.source, source) == 0) {
    parse->stmt_location = command.location;
    parse->stmt_len = command.length;
  }
}

static PlannedStmt* on_plan(Query* parse, const char* source, int options, ParamListInfo params) {
  const uint64 outer = enclosing_event;
  PlannedStmt* result = NULL;
  if (is_recording()) {
    StringInfoData line;
    place_of_inner(parse, source);
    const uint64 event =
        note(&line, "plan", own_text(source, parse->stmt_location, parse->stmt_len));
    if (event) {
      write_line(&line);
      enclosing_event = event;
    }
  }
  depth++;
  PG_TRY();
  {
    result = next_planner ? next_planner(parse, source, options, params)
                          : standard_planner(parse, source, options, params);
  }
  PG_FINALLY();
  {
    depth--;
    enclosing_event = outer;
  }
  PG_END_TRY();
  return result;
}

static void on_start(QueryDesc* query, int flags) {
  const uint64 number = next_execution++;
  started[number % kStarted].query = query;
  started[number % kStarted].number = number;
  if (next_start)
    next_start(query, flags);
  else
    standard_ExecutorStart(query, flags);
}

static uint64 execution_of(const QueryDesc* query) {
  uint64 found = 0;
  for (int i = 0; i < kStarted; i++)
    if (started[i].query == query && started[i].number > found) found = started[i].number;
  return found;
}

static uint64 note_run(QueryDesc* query) {
  StringInfoData line;
  uint64 event;
  if (!is_recording()) return 0;
  event = note(
      &line, "run",
      own_text(query->sourceText, query->plannedstmt->stmt_location, query->plannedstmt->stmt_len));
  if (!event) return 0;
  appendStringInfo(&line, ",\"execution\":" UINT64_FORMAT, execution_of(query));
  add_parameters(&line, query->params);
  write_line(&line);
  return event;
}

static void on_run(QueryDesc* query, ScanDirection direction, uint64 count, bool once) {
  const uint64 outer = enclosing_event;
  const uint64 event = note_run(query);
  if (event) enclosing_event = event;
  depth++;
  PG_TRY();
  {
    if (next_run)
      next_run(query, direction, count, once);
    else
      standard_ExecutorRun(query, direction, count, once);
    note_end(event, query->estate->es_processed);
  }
  PG_FINALLY();
  {
    depth--;
    enclosing_event = outer;
  }
  PG_END_TRY();
}

static uint64 note_utility(const PlannedStmt* statement, const char* source, ParamListInfo params) {
  StringInfoData line;
  uint64 event;
  if (!is_recording()) return 0;
  event = note(&line, "utility", own_text(source, statement->stmt_location, statement->stmt_len));
  if (!event) return 0;
  add_text(&line, "tag", GetCommandTagName(CreateCommandTag(statement->utilityStmt)));
  add_parameters(&line, params);
  write_line(&line);
  return event;
}

static void on_utility(PlannedStmt* statement, const char* source, bool read_only_tree,
                       ProcessUtilityContext context, ParamListInfo params,
                       QueryEnvironment* environment, DestReceiver* dest,
                       QueryCompletion* completion) {
  const uint64 outer = enclosing_event;
  const __typeof__(command) outer_command = command;
  const uint64 event = note_utility(statement, source, params);
  if (event) enclosing_event = event;
  command = (__typeof__(command)){source, statement->stmt_location, statement->stmt_len};
  depth++;
  PG_TRY();
  {
    (next_utility ? next_utility : standard_ProcessUtility)(
        statement, source, read_only_tree, context, params, environment, dest, completion);
    note_end(event, completion ? completion->nprocessed : 0);
  }
  PG_FINALLY();
  {
    depth--;
    enclosing_event = outer;
    command = outer_command;
  }
  PG_END_TRY();
}

// A FunctionCall message is the one way to a function without a text and without a portal.
static void on_access(ObjectAccessType access, Oid class, Oid object, int part, void* argument) {
  if (next_access) next_access(access, class, object, part, argument);
  if (access == OAT_FUNCTION_EXECUTE && is_recording() && !ActivePortal && !debug_query_string &&
      depth == 0) {
    StringInfoData line;
    begin_line(&line, "function");
    add_text(&line, "text", get_func_name(object));
    write_line(&line);
  }
}

static void on_transaction(XactEvent what, void* argument) {
  StringInfoData line;
  const char* kind = what == XACT_EVENT_COMMIT    ? "committed"
                     : what == XACT_EVENT_ABORT   ? "rolled back"
                     : what == XACT_EVENT_PREPARE ? "prepared"
                                                  : NULL;
  if (!kind) return;
  if (transaction_has_events && is_recording()) {
    begin_line(&line, kind);
    appendStringInfo(&line, ",\"transaction\":" UINT64_FORMAT, transaction);
    write_line(&line);
  }
  transaction_has_events = false;
  transaction++;
}

static void on_subtransaction(SubXactEvent what, SubTransactionId own, SubTransactionId parent,
                              void* argument) {
  StringInfoData line;
  const char* kind = what == SUBXACT_EVENT_COMMIT_SUB  ? "merged"
                     : what == SUBXACT_EVENT_ABORT_SUB ? "undone"
                                                       : NULL;
  if (!kind || !transaction_has_events || !is_recording()) return;
  begin_line(&line, kind);
  appendStringInfo(&line, ",\"transaction\":" UINT64_FORMAT ",\"sub\":%u,\"parent\":%u",
                   transaction, (unsigned)own, (unsigned)parent);
  write_line(&line);
}

void _PG_init(void) {
  DefineCustomStringVariable("helios_oracle.directory", "Where events go: a file for each backend.",
                             NULL, &directory, "", PGC_SIGHUP, 0, NULL, NULL, NULL);
  next_planner = planner_hook;
  planner_hook = on_plan;
  next_start = ExecutorStart_hook;
  ExecutorStart_hook = on_start;
  next_run = ExecutorRun_hook;
  ExecutorRun_hook = on_run;
  next_utility = ProcessUtility_hook;
  ProcessUtility_hook = on_utility;
  next_access = object_access_hook;
  object_access_hook = on_access;
  RegisterXactCallback(on_transaction, NULL);
  RegisterSubXactCallback(on_subtransaction, NULL);
}
