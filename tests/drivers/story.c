// SPDX-License-Identifier: Apache-2.0
//
// The story of story.py, by libpq: statements prepared and not, row by row, in pipelines, and COPY.

#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 20 };

static PGconn* connection;
static int executed;

static void expect(int condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "%s: %s\n", what, PQerrorMessage(connection));
  exit(1);
}

static void expect_state(PGresult* result, const char* state) {
  const char* found = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  expect(found != NULL && strcmp(found, state) == 0, state);
  PQclear(result);
}

// Takes a result that is there; it must be of this kind.
static void take(PGresult* result, ExecStatusType kind, const char* what) {
  expect(PQresultStatus(result) == kind, what);
  PQclear(result);
}

static void run(const char* text, ExecStatusType kind) {
  take(PQexec(connection, text), kind, text);
  ++executed;
}

static void expect_value(PGresult* result, const char* value) {
  expect(PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1, value);
  expect(strcmp(PQgetvalue(result, 0, 0), value) == 0, value);
  PQclear(result);
  ++executed;
}

// Two texts, for a row of the table.
struct row {
  char number[16];
  char text[32];
  const char* values[2];
};

static void fill(struct row* row, int number) {
  snprintf(row->number, sizeof row->number, "%d", number);
  snprintf(row->text, sizeof row->text, "row %d", number);
  row->values[0] = row->number;
  row->values[1] = row->text;
}

static void send_insert(int number) {
  struct row row;
  fill(&row, number);
  expect(PQsendQueryParams(connection, "INSERT INTO t VALUES ($1, $2)", 2, NULL, row.values, NULL,
                           NULL, 0),
         "insert");
}

// The result of one statement of a pipeline, and the NULL behind it.
static void take_in_pipeline(ExecStatusType kind, const char* what) {
  take(PQgetResult(connection), kind, what);
  expect(PQgetResult(connection) == NULL, "end of a statement");
}

static void run_pipeline(void) {
  expect(PQenterPipelineMode(connection), "pipeline");
  for (int n = 0; n < ROWS; ++n) send_insert(n);
  expect(PQpipelineSync(connection), "sync");
  for (int n = 0; n < ROWS; ++n) take_in_pipeline(PGRES_COMMAND_OK, "insert");
  take(PQgetResult(connection), PGRES_PIPELINE_SYNC, "sync");
  executed += ROWS;
}

// The second of three is refused: the first is undone, the third never runs, the next pipeline is well.
static void run_refused_pipeline(void) {
  const char* one = "1";
  send_insert(50);
  expect(PQsendQueryParams(connection, "SELECT 'forbidden', $1::int", 1, NULL, &one, NULL, NULL, 0),
         "forbidden");
  send_insert(51);
  expect(PQpipelineSync(connection), "sync");
  send_insert(52);
  expect(PQpipelineSync(connection), "sync");
  take_in_pipeline(PGRES_COMMAND_OK, "insert");
  expect_state(PQgetResult(connection), "42000");
  expect(PQgetResult(connection) == NULL, "end of the refused one");
  take_in_pipeline(PGRES_PIPELINE_ABORTED, "skipped");
  take(PQgetResult(connection), PGRES_PIPELINE_SYNC, "sync");
  take_in_pipeline(PGRES_COMMAND_OK, "insert");
  take(PQgetResult(connection), PGRES_PIPELINE_SYNC, "sync");
  expect(PQexitPipelineMode(connection), "end of the pipeline");
  executed += 2;
}

static void read_prepared(void) {
  take(PQprepare(connection, "one", "SELECT b FROM t WHERE a = $1::int", 1, NULL), PGRES_COMMAND_OK,
       "prepare");
  for (int n = 0; n < 10; ++n) {
    struct row row;
    fill(&row, n);
    expect_value(PQexecPrepared(connection, "one", 1, row.values, NULL, NULL, 0), row.text);
  }
  take(PQdescribePrepared(connection, "one"), PGRES_COMMAND_OK, "describe");
}

static void read_row_by_row(void) {
  expect(PQsendQuery(connection, "SELECT a FROM t") && PQsetSingleRowMode(connection),
         "row by row");
  int rows = 0;
  PGresult* result = PQgetResult(connection);
  for (; PQresultStatus(result) == PGRES_SINGLE_TUPLE; result = PQgetResult(connection)) {
    PQclear(result);
    ++rows;
  }
  take(result, PGRES_TUPLES_OK, "end of the rows");
  expect(PQgetResult(connection) == NULL && rows == ROWS + 1, "rows");
  ++executed;
}

static void fail_and_go_on(void) {
  const char* zero = "0";
  expect_state(PQexecParams(connection, "SELECT 1 / $1::int", 1, NULL, &zero, NULL, NULL, 0),
               "22012");
  ++executed;
  take(PQexec(connection, "BEGIN"), PGRES_COMMAND_OK, "BEGIN");
  run("DELETE FROM t", PGRES_COMMAND_OK);
  expect_state(PQexec(connection, "SELECT 'forbidden'"), "42000");
  expect(PQtransactionStatus(connection) == PQTRANS_INERROR, "failed transaction");
  PGresult* end = PQexec(connection, "COMMIT");
  expect(strcmp(PQcmdStatus(end), "ROLLBACK") == 0, "COMMIT of a failed transaction");
  PQclear(end);
}

static void copy(void) {
  run("COPY t FROM STDIN", PGRES_COPY_IN);
  expect(PQputCopyData(connection, "100\tcopied\n", 11) == 1, "COPY data");
  expect(PQputCopyEnd(connection, NULL) == 1, "COPY end");
  take(PQgetResult(connection), PGRES_COMMAND_OK, "COPY FROM");
  expect(PQgetResult(connection) == NULL, "end of COPY FROM");
  run("COPY t TO STDOUT", PGRES_COPY_OUT);
  int lines = 0;
  for (char* line = NULL; PQgetCopyData(connection, &line, 0) > 0; ++lines) PQfreemem(line);
  expect(lines == ROWS + 2, "lines");
  take(PQgetResult(connection), PGRES_COMMAND_OK, "COPY TO");
  expect(PQgetResult(connection) == NULL, "end of COPY TO");
}

int main(void) {
  char options[256];
  snprintf(options, sizeof options, "options='-c helios.tenant_id=%s'", getenv("TENANT"));
  connection = PQconnectdb(options);  // the rest from the environment
  expect(PQstatus(connection) == CONNECTION_OK, "connection");
  run("CREATE TEMP TABLE t (a int, b text)", PGRES_COMMAND_OK);
  run_pipeline();
  run_refused_pipeline();
  read_prepared();
  read_row_by_row();
  fail_and_go_on();
  copy();
  expect_value(PQexec(connection, "SELECT count(*) FROM t"), "22");
  PQfinish(connection);
  printf("executed %d\n", executed);
  return 0;
}
