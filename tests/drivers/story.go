// SPDX-License-Identifier: Apache-2.0
//
// The story of story.py, by pgx.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const rows = 20

var (
	ctx      = context.Background()
	executed = 0
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func expectState(err error, state string) {
	var found *pgconn.PgError
	if !errors.As(err, &found) || found.Code != state {
		panic(fmt.Sprintf("%s was expected: %v", state, err))
	}
}

func exec(connection *pgx.Conn, text string, values ...any) {
	_, err := connection.Exec(ctx, text, values...)
	check(err)
	executed++
}

func one[T comparable](connection *pgx.Conn, expected T, text string, values ...any) {
	var found T
	check(connection.QueryRow(ctx, text, values...).Scan(&found))
	if found != expected {
		panic(fmt.Sprintf("%s: %v", text, found))
	}
	executed++
}

// Many statements in one pipeline.
func batch(connection *pgx.Conn) {
	batch := &pgx.Batch{}
	for n := 0; n < rows; n++ {
		batch.Queue("INSERT INTO t VALUES ($1, $2)", n, fmt.Sprintf("row %d", n))
	}
	check(connection.SendBatch(ctx, batch).Close())
	executed += rows
}

// One of them fails, and takes the others with it.
func failedBatch(connection *pgx.Conn) {
	batch := &pgx.Batch{}
	batch.Queue("DELETE FROM t")
	batch.Queue("SELECT 1 / $1::int", 0)
	batch.Queue("SELECT 'forbidden', $1::int", 1)
	expectState(connection.SendBatch(ctx, batch).Close(), "22012")
	executed += 2
}

func transactions(connection *pgx.Conn) {
	transaction, err := connection.Begin(ctx)
	check(err)
	exec(connection, "DELETE FROM t WHERE a = $1", 0)
	nested, err := transaction.Begin(ctx)
	check(err)
	exec(connection, "DELETE FROM t")
	_, err = nested.Exec(ctx, "SELECT 'forbidden', $1::int", 1)
	expectState(err, "42000")
	check(nested.Rollback(ctx))
	one(connection, int64(rows-1), "SELECT count(*) FROM t")
	check(transaction.Rollback(ctx))
}

func copyIn(connection *pgx.Conn) {
	copied, err := connection.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"a", "b"},
		pgx.CopyFromRows([][]any{{100, "copied"}, {101, "too"}}))
	check(err)
	if copied != 2 {
		panic(fmt.Sprintf("copied %d", copied))
	}
	executed++
}

func main() {
	config, err := pgx.ParseConfig("")
	check(err)
	config.RuntimeParams["helios.tenant_id"] = os.Getenv("TENANT")
	connection, err := pgx.ConnectConfig(ctx, config)
	check(err)
	exec(connection, "CREATE TEMP TABLE t (a int, b text)")
	batch(connection)
	for n := 0; n < 10; n++ {
		one(connection, fmt.Sprintf("row %d", n), "SELECT b FROM t WHERE a = $1", n)
	}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		one(connection, "row 7", "SELECT b FROM t WHERE a = $1", mode, 7)
	}
	// The failed one was not executed, but shown to the plugins.
	_, err = connection.Exec(ctx, "SELECT 1 / $1::int", 0)
	expectState(err, "22012")
	executed++
	// A failed statement in front keeps the counter from counting what comes behind it.
	failedBatch(connection)
	transactions(connection)
	copyIn(connection)
	one(connection, int64(rows+2), "SELECT count(*) FROM t")
	check(connection.Close(ctx))
	fmt.Println("executed", executed)
}
