// SPDX-License-Identifier: Apache-2.0
//
// node-postgres in bulk, and what two ORMs on it do: orms.js STORY. Prints what came of it.

const assert = require("assert");

const CONNECTION = { host: process.env.PGHOST, port: Number(process.env.PGPORT), user: "postgres", database: "demo" };
const MANY = 5000;

// Queued without waiting for an answer, named and not, with errors among them.
async function pg() {
  const { Pool } = require("pg");
  const pool = new Pool({ ...CONNECTION, max: 6 });
  await pool.query("CREATE TABLE bulk (a int, b text)");
  const inserts = [];
  for (let n = 0; n < MANY; ++n) inserts.push(pool.query("INSERT INTO bulk VALUES ($1, $2)", [n, `row ${n}`]));
  await Promise.all(inserts);
  const client = await pool.connect();
  const reads = [];
  for (let n = 0; n < MANY; ++n) {
    reads.push(client.query({ name: `read_${n % 50}`, text: `SELECT $1::int / $2::int AS x /* ${n % 50} */`, values: [n, n % 7 ? 1 : 0] }));
  }
  const settled = await Promise.allSettled(reads);
  console.log(settled.filter((each) => each.status === "rejected").length, settled.find((each) => each.status === "rejected").reason.code);
  const found = await client.query({ text: "SELECT count(*)::int AS n, sum(a)::int AS s FROM bulk", rowMode: "array" });
  console.log(found.rows[0]);
  client.release();
  await pool.end();
}

async function sequelize() {
  const { Sequelize, DataTypes, Op } = require("sequelize");
  const db = new Sequelize("demo", "postgres", "", { ...CONNECTION, dialect: "postgres", logging: false });
  const Author = db.define("Author", { name: { type: DataTypes.STRING, unique: true }, mood: DataTypes.ENUM("sad", "ok"),
    tags: DataTypes.ARRAY(DataTypes.STRING), data: DataTypes.JSONB });
  const Book = db.define("Book", { title: DataTypes.STRING, price: DataTypes.DECIMAL(10, 2), sold: { type: DataTypes.INTEGER, defaultValue: 0 } });
  Author.hasMany(Book);
  Book.belongsTo(Author);
  await db.sync({ force: true });
  const authors = await Author.bulkCreate(Array.from({ length: 200 }, (_, n) => ({ name: `it's ${n}`, tags: ["a", `b${n}`], data: { n }, mood: "ok" })));
  await Book.bulkCreate(authors.flatMap((author) => [1, 2, 3].map((n) => ({ title: `${author.name}/${n}`, price: n + 0.25, AuthorId: author.id }))));
  await assert.rejects(Author.create({ name: "it's 1" }), { name: "SequelizeUniqueConstraintError" });
  await db.transaction(async (transaction) => {
    const locked = await Author.findAll({ where: { "data.n": { [Op.lt]: 10 } }, lock: transaction.LOCK.UPDATE, transaction });
    for (const each of locked) await each.update({ mood: "sad" }, { transaction });
  });
  await assert.rejects(db.transaction(async (transaction) => {
    await Book.destroy({ where: {}, transaction });
    throw new Error("back");
  }));
  const [author, isNew] = await Author.findOrCreate({ where: { name: "new" }, defaults: { mood: "ok" } });
  await Author.upsert({ id: author.id, name: "newer", mood: "sad" });
  await Book.increment({ sold: 5 }, { where: { price: { [Op.gt]: 2 } } });
  const sums = await Book.findAll({ attributes: ["AuthorId", [db.fn("SUM", db.col("price")), "total"]], group: ["AuthorId"], order: ["AuthorId"], limit: 3, raw: true });
  const page = await Author.findAndCountAll({ include: Book, where: { mood: "sad" }, order: [["name", "ASC"], [Book, "title", "DESC"]], limit: 5 });
  console.log(isNew, await Author.count(), await Book.sum("sold"), JSON.stringify(sums));
  console.log(page.count, page.rows.map((each) => [each.name, each.Books.length, each.tags, each.data]).flat().join());
  console.log((await db.getQueryInterface().describeTable("Authors")).mood.type);
  await db.close();
}

async function knex() {
  const db = require("knex")({ client: "pg", connection: CONNECTION, pool: { min: 2, max: 5 } });
  await db.schema.createTable("accounts", (table) => {
    table.increments();
    table.string("owner").notNullable().index();
    table.decimal("amount", 14, 2).defaultTo(0);
    table.jsonb("info");
    table.timestamps(true, true);
  });
  await db.batchInsert("accounts", Array.from({ length: 3000 }, (_, n) => ({ owner: `o${n % 10}`, amount: n, info: { n } })), 500);
  await Promise.all(Array.from({ length: 50 }, () => db.transaction(async (trx) => {
    const { amount } = await trx("accounts").where({ id: 1 }).forUpdate().first();
    await trx("accounts").where({ id: 1 }).update({ amount: Number(amount) + 1 });
    await trx.transaction(async (inner) => {
      await inner("accounts").where({ id: 2 }).del();
      throw new Error("back");
    }).catch(() => undefined);
  })));
  console.log(await db("accounts").where({ id: 1 }).first("amount"));
  console.log(await db("accounts").select("owner").sum("amount as s").groupBy("owner").having(db.raw("sum(amount) > ?", [1])).orderBy("owner").limit(3));
  console.log(await db("accounts").insert({ id: 1, owner: "again" }).onConflict("id").merge(["owner"]).returning(["id", "owner"]));
  console.log(await db.with("rich", db("accounts").where("amount", ">", 2990)).from("rich").count());
  console.log(await db.raw("SELECT ?::jsonb ->> 'a' AS a, ?::int[] AS b", [{ a: "x?" }, [1, 2]]).then((found) => found.rows));
  console.log(await db("accounts").select("id").whereRaw("info @> ?", [{ n: 5 }]));
  await db.schema.alterTable("accounts", (table) => table.renameColumn("owner", "holder"));
  console.log(await db.schema.hasColumn("accounts", "holder"));
  await db.schema.dropTable("accounts");
  await db.destroy();
}

async function typeorm() {
  const { DataSource, EntitySchema } = require("typeorm");
  const Post = new EntitySchema({ name: "Post", columns: { id: { type: "uuid", primary: true, generated: "uuid" }, title: { type: "varchar", unique: true },
    version: { type: "int", version: true }, meta: { type: "jsonb", nullable: true } },
    relations: { tags: { type: "many-to-many", target: "Tag", joinTable: true, cascade: true } } });
  const Tag = new EntitySchema({ name: "Tag", columns: { id: { type: "int", primary: true, generated: true }, word: { type: "varchar" } } });
  const db = await new DataSource({ type: "postgres", ...CONNECTION, username: "postgres", entities: [Post, Tag], synchronize: true }).initialize();
  const posts = db.getRepository("Post");
  await posts.save(Array.from({ length: 100 }, (_, n) => ({ title: `post ${n}`, meta: { n }, tags: [{ word: `w${n % 3}` }] })), { chunk: 30 });
  await assert.rejects(posts.insert({ title: "post 1" }), { code: "23505" });
  await db.transaction("SERIALIZABLE", async (manager) => {
    const one = await manager.findOne("Post", { where: { title: "post 7" }, lock: { mode: "pessimistic_write" } });
    one.title = "changed";
    await manager.save("Post", one);
  });
  const found = await posts.createQueryBuilder("p").leftJoinAndSelect("p.tags", "t").where("t.word = :w", { w: "w1" }).orderBy("p.title").take(5).getManyAndCount();
  console.log(found[1], found[0].map((each) => `${each.title} ${each.version} ${each.tags[0].word}`));
  console.log(await posts.countBy({ title: "changed", version: 2 }));
  await db.dropDatabase();
  await db.destroy();
}

({ pg, sequelize, knex, typeorm })[process.argv[2]]().catch((error) => {
  console.error(error);
  process.exit(1);
});
