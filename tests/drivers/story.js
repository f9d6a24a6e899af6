// SPDX-License-Identifier: Apache-2.0
//
// The story of story.py, by node-postgres.

const assert = require("assert");
const { Client } = require("pg");

const ROWS = 20;

async function story() {
  let executed = 0;
  const client = new Client({ options: `-c helios.tenant_id=${process.env.TENANT}` });
  await client.connect();
  await client.query("CREATE TEMP TABLE t (a int, b text)");
  executed += 1;
  for (let n = 0; n < ROWS; ++n) {
    await client.query("INSERT INTO t VALUES ($1, $2)", [n, `row ${n}`]);
    executed += 1;
  }
  for (let n = 0; n < 10; ++n) {
    const one = await client.query({ name: "one", text: "SELECT b FROM t WHERE a = $1", values: [n] });
    assert.strictEqual(one.rows[0].b, `row ${n}`);
    executed += 1;
  }
  const several = await client.query("SELECT 1 AS x; SELECT 2 AS x");
  assert.strictEqual(several[1].rows[0].x, 2);
  executed += 2;
  await assert.rejects(client.query("SELECT 1/$1::int", [0]), { code: "22012" });
  executed += 1;
  await client.query("BEGIN");
  await client.query("DELETE FROM t");
  executed += 1;
  await assert.rejects(client.query("SELECT 'forbidden', $1::int", [1]), { code: "42000" });
  await client.query("ROLLBACK");
  const count = await client.query("SELECT count(*)::int AS n FROM t");
  assert.strictEqual(count.rows[0].n, ROWS);
  executed += 1;
  await client.end();
  console.log(`executed ${executed}`);
}

story().catch((error) => {
  console.error(error);
  process.exit(1);
});
