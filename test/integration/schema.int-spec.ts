import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { v7 } from 'uuid';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { loadMigrations } from '../../src/platform/database/migrate.js';
import { Builders } from '../support/builders.js';
import { createTestDatabase } from '../support/databases.js';
import { startSystem, type System } from '../support/system.js';

/** Everything the migrations make, by name: a dump of the schema without an order. */
async function schemaOf(query: (sql: string) => Promise<Record<string, unknown>[]>): Promise<string[]> {
  const rows = await query(`
    SELECT 'column ' || table_name || '.' || column_name || ' ' || udt_name || ' ' || is_nullable || ' '
           || coalesce(column_default, '') AS line
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
    UNION ALL
    SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
    UNION ALL
    SELECT 'aggregate ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'a'
    UNION ALL
    SELECT 'options ' || relname || ' ' || coalesce(array_to_string(reloptions, ','), '') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')
    ORDER BY 1`);
  return rows.map((row) => String(row['line'])).filter((line) => !line.includes('schema_migrations'));
}

describe('the schema', () => {
  let system: System;
  let dataSource: DataSource;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    dataSource = system.app.get(DataSource);
  });
  afterAll(async () => system.stop());

  it('has every column that an entity names, of its type, null where the entity may be null', async () => {
    const { rows } = await system.db.query(
      `SELECT c.relname AS "table", a.attname AS "column", format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
       WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped`,
    );
    const stored = new Map(rows.map((row) => [`${row.table}.${row.column}`, `${row.type} ${row.nullable}`]));
    const declared = dataSource.entityMetadatas.flatMap((entity) =>
      entity.columns.map((column) => [
        `${entity.tableName}.${column.databaseName}`,
        `${dataSource.driver.normalizeType(column)} ${column.isNullable}`,
      ]),
    );
    expect(declared.length).toBeGreaterThan(20);
    expect(declared.map(([name]) => [name, stored.get(String(name))])).toEqual(declared);
  });

  it("holds no column of an entity's table that the entity does not know", async () => {
    for (const entity of dataSource.entityMetadatas) {
      const { rows } = await system.db.query<{ column_name: string }>(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1",
        [entity.tableName],
      );
      const known = entity.columns.map((column) => column.databaseName);
      expect([entity.tableName, rows.map((row) => row.column_name).toSorted()]).toEqual([
        entity.tableName,
        known.toSorted(),
      ]);
    }
  });

  it('is left as it is by TypeORM, which would change neither a table nor a column', async () => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    const proposed = upQueries.map(({ query }) => query);
    // Constraints and indexes stand in the migrations only.
    const ofColumns = proposed.filter(
      (query) => !/ (ADD|DROP) CONSTRAINT |^(CREATE|DROP) (UNIQUE )?INDEX /.test(query),
    );
    expect(ofColumns).toEqual([]);
  });

  it('is unmade and made again by its migrations, to the same schema', async () => {
    const database = await createTestDatabase();
    const migrating = new DataSource({
      ...dataSourceOptions({
        url: database.url,
        poolSize: 2,
        connectTimeoutMs: 5000,
        applicationName: 'schema-test',
      }),
      migrations: await loadMigrations(),
    });
    try {
      await migrating.initialize();
      const query = async (sql: string) => await migrating.query<Record<string, unknown>[]>(sql);
      const before = await schemaOf(query);
      expect(before.length).toBeGreaterThan(200);
      for (let left = migrating.migrations.length; left > 0; left -= 1) await migrating.undoLastMigration();
      expect(await schemaOf(query)).toEqual([]);
      const made = await migrating.runMigrations();
      expect(made).toHaveLength(migrating.migrations.length);
      expect(await schemaOf(query)).toEqual(before);
      expect(await migrating.runMigrations()).toEqual([]);
    } finally {
      await migrating.destroy();
      await database.drop();
    }
  });

  describe('lets nobody change what only grows', () => {
    const TABLES = [
      { table: 'audit_log', change: "action = 'x'" },
      { table: 'odds', change: 'american = 100' },
      { table: 'restrictions', change: 'ends_at = NULL' },
      { table: 'bet_regrades', change: 'new_payout = 0' },
    ];

    beforeAll(async () => {
      const make = new Builders(system);
      await make.game({ startsAt: '2023-10-08T17:00:00Z' });
      const [player] = await make.players(1);
      await system.db.query(
        "INSERT INTO restrictions (id, user_id, kind, starts_at) VALUES ($1, $2, 'self_exclusion', now())",
        [v7(), player!.userId],
      );
      await system.db.query(
        "INSERT INTO audit_log (id, action, subject_type, subject_id) VALUES ($1, 'test', 'user', '1')",
        [v7()],
      );
      await system.db.query(
        `INSERT INTO bet_regrades (bet_id, settlement_id, week_id, reversed_settlement_id, old_status, old_payout, new_status,
                                   new_payout, created_at) VALUES (1, $1, 202340, $1, 'won', 1, 'lost', 0, now())`,
        [v7()],
      );
    });

    it.each(TABLES)('$table', async ({ table, change }) => {
      const count = async () => (await system.db.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0].n;
      const before = await count();
      expect(before).toBeGreaterThan(0);
      for (const statement of [
        `UPDATE ${table} SET ${change}`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table} CASCADE`,
      ])
        await expect(system.db.query(statement)).rejects.toMatchObject({
          code: 'PL000',
          message: `${table} is append-only`,
        });
      expect(await count()).toBe(before);
    });
  });

  it('keeps the credits of a member in balance by itself', async () => {
    const pool = v7();
    const insert = (values: string) =>
      system.db.query(
        `INSERT INTO pool_members (pool_id, user_id, week_id, draw_position, starting, balance, adjustments, staked, paid_out,
                                   debt, bets_placed, bets_open) VALUES ('${pool}', gen_random_uuid(), 202340, 1, ${values})`,
      );
    await insert('1000, 1050, 0, 50, 100, 0, 1, 0');
    for (const [values, constraint] of [
      ['1000, 1001, 0, 0, 0, 0, 0, 0', 'pool_members_conserved'],
      ['1000, -1, 0, 1001, 0, 0, 1, 1', 'pool_members_not_negative'],
      ['1000, 950, 0, 50, 0, 0, 1, 2', 'pool_members_open_bets'],
    ] as const)
      await expect(insert(values)).rejects.toMatchObject({ code: '23514', constraint });
  });
});
