// SPDX-License-Identifier: Apache-2.0
//
// Batches of thousands by pgx, in every mode of execution. Prints what came of it.
package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const many = 5000

var ctx = context.Background()

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func inserts(connection *pgx.Conn, first int, broken bool) error {
	batch := &pgx.Batch{}
	for n := first; n < first+many; n++ {
		batch.Queue("INSERT INTO t VALUES ($1, $2)", n, fmt.Sprintf("row %d", n))
	}
	if broken {
		batch.Queue("INSERT INTO t VALUES ($1, $2)", first, "twice")
	}
	return connection.SendBatch(ctx, batch).Close()
}

func reads(connection *pgx.Conn) (sum int) {
	batch := &pgx.Batch{}
	for n := 0; n < many; n++ {
		batch.Queue(fmt.Sprintf("SELECT a FROM t WHERE a = $1 /* %d */", n%20), n).QueryRow(func(row pgx.Row) error {
			var a int
			defer func() { sum += a }()
			return row.Scan(&a)
		})
	}
	check(connection.SendBatch(ctx, batch).Close())
	return sum
}

func main() {
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		config, err := pgx.ParseConfig("dbname=demo")
		check(err)
		config.DefaultQueryExecMode = mode
		connection, err := pgx.ConnectConfig(ctx, config)
		check(err)
		_, err = connection.Exec(ctx, "CREATE TEMP TABLE t (a int PRIMARY KEY, b text)")
		check(err)
		check(inserts(connection, 0, false))
		failure := inserts(connection, many, true)
		state := ""
		if found, is := failure.(*pgconn.PgError); is {
			state = found.Code
		}
		var count int
		check(connection.QueryRow(ctx, "SELECT count(*) FROM t").Scan(&count))
		fmt.Println(mode, state, count, reads(connection))
		check(connection.Close(ctx))
	}
}
