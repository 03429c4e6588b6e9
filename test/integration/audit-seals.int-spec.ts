import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { runMigrations } from '../../src/platform/database/migrate.js';
import { audited, sealAll, sealedIds, sealerOf, settled, withoutEntries } from '../support/audit-chain.js';
import { Builders } from '../support/builders.js';
import { someone } from '../support/staff.js';
import { eventually, startSystem, type System } from '../support/system.js';

describe('the audit log’s sealer', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z', prepare: withoutEntries });
  });
  afterAll(async () => system.stop());

  /** A transaction that has written entries and is still open. */
  async function opened(entries = 1): Promise<{ client: Client; ids: string[] }> {
    const client = new Client({ connectionString: system.env['DATABASE_URL']! });
    await client.connect();
    await client.query('BEGIN');
    return { client, ids: await audited(client, entries) };
  }
  async function ended(client: Client, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    await client.query(how);
    await client.end();
  }
  /** Every entry there is, and that each is under one seal. */
  async function expectAllSealedOnce(): Promise<void> {
    const { rows } = await system.db.query<{ id: string }>('SELECT id FROM audit_log ORDER BY tx, id');
    expect((await sealedIds(system)).flat()).toEqual(rows.map(({ id }) => id));
    const counted = await system.db.query(
      'SELECT sum(entries)::int AS n, count(*)::int = max(number) AS whole FROM audit_seals',
    );
    expect(counted.rows).toEqual([{ n: rows.length, whole: true }]);
  }

  it('seals nothing while there is nothing, and each entry once', async () => {
    const sealer = sealerOf(system);
    expect(await sealer.seal()).toBe(false);
    expect(await sealedIds(system)).toEqual([]);
    const ids = [...(await audited(system.db, 3)), ...(await audited(system.db))];
    await settled(system);
    await sealer.seal();
    await sealer.seal();
    expect(await sealedIds(system)).toEqual([ids]);
  });

  it('waits for a transaction with an earlier number, which commits after others: none is left out, none sealed twice', async () => {
    const early = await opened(2);
    const later = await audited(system.db, 2);
    const before = await sealedIds(system);
    await sealerOf(system).seal();
    expect(await sealedIds(system)).toEqual(before); // the later ones stand behind one that is under way
    const rolledBack = await opened();
    const last = await audited(system.db);
    await ended(early.client, 'COMMIT');
    await eventually(async () => {
      await sealerOf(system).seal();
      return (await sealedIds(system)).length > before.length;
    }, 60_000);
    expect((await sealedIds(system)).flat().slice(before.flat().length)).toEqual([...early.ids, ...later]);
    await ended(rolledBack.client, 'ROLLBACK');
    await sealAll(system);
    expect((await sealedIds(system)).flat().slice(-last.length)).toEqual(last);
    await expectAllSealedOnce();
  });

  it('does not wait for readers, nor for transactions that have written nothing yet', async () => {
    const reader = new Client({ connectionString: system.env['DATABASE_URL']! });
    await reader.connect();
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await reader.query('SELECT count(*) FROM audit_log');
    const ids = await audited(system.db);
    await sealAll(system);
    expect((await sealedIds(system)).flat()).toEqual(expect.arrayContaining(ids));
    const late = await audited(reader); // its number is drawn now
    await ended(reader, 'COMMIT');
    await sealAll(system);
    expect((await sealedIds(system)).at(-1)).toEqual(late);
    await expectAllSealedOnce();
  });

  it('seals each entry once, when ten seal while 200 transactions write and end in any order', async () => {
    const sealers = Array.from({ length: 10 }, () => sealerOf(system));
    const enough = new AbortController();
    const sealing = sealers.map(async (sealer) => {
      while (!enough.signal.aborted) await sealer.seal();
    });
    const writing = Array.from({ length: 4 }, async (_, writer) => {
      for (let n = 0; n < 50; n += 1) {
        const { client } = await opened(1 + (n % 3));
        await client.query('SELECT pg_sleep(random() * 0.02)');
        await ended(client, (n + writer) % 7 === 0 ? 'ROLLBACK' : 'COMMIT');
      }
    });
    await Promise.all(writing);
    enough.abort();
    await Promise.all(sealing);
    await sealAll(system);
    await expectAllSealedOnce();
  }, 60_000);

  it('seals a thousand at a time, also of one transaction', async () => {
    await sealAll(system);
    const seals = (await sealedIds(system)).length;
    const ids = await audited(system.db, 2500);
    await settled(system);
    const sealer = sealerOf(system);
    expect([await sealer.seal(), await sealer.seal(), await sealer.seal()]).toEqual([true, true, false]);
    const made = (await sealedIds(system)).slice(seals);
    expect(made.map(({ length }) => length)).toEqual([1000, 1000, 500]);
    expect(made.flat()).toEqual(ids.toSorted());
  });

  it('holds up nobody who writes, and is held up by nobody', async () => {
    await audited(system.db);
    const sealing = await system.db.connect(); // as a sealer that has stopped in the middle
    await sealing.query('BEGIN');
    await sealing.query('SELECT pg_advisory_xact_lock(4242, 32)');
    const before = await sealedIds(system);
    expect(await sealerOf(system).seal()).toBe(false); // at once
    await audited(system.db);
    expect(await sealedIds(system)).toEqual(before);
    await sealing.query('ROLLBACK');
    sealing.release();
    const { client } = await opened();
    await client.query('LOCK TABLE audit_log IN SHARE ROW EXCLUSIVE MODE'); // nobody may write now
    await sealerOf(system).seal();
    await ended(client, 'COMMIT');
    await sealAll(system);
    await expectAllSealedOnce();
  });

  it('seals no more on a chain whose end, as it knows it, is gone', async () => {
    const sealer = sealerOf(system);
    await audited(system.db);
    await settled(system);
    await sealer.seal();
    const cut = await system.db.connect();
    await cut.query('BEGIN');
    await cut.query('ALTER TABLE audit_seals DISABLE TRIGGER audit_seals_append_only');
    await cut.query('DELETE FROM audit_seals WHERE number = (SELECT max(number) FROM audit_seals)');
    await cut.query('ALTER TABLE audit_seals ENABLE ALWAYS TRIGGER audit_seals_append_only');
    await cut.query('COMMIT');
    cut.release();
    await audited(system.db);
    await settled(system);
    const before = await sealedIds(system);
    await expect(sealer.seal()).rejects.toThrow(/is gone or was replaced: nothing is sealed on it/);
    expect(await sealedIds(system)).toEqual(before);
    await sealerOf(system).seal(); // one that has just been started knows no better
    await expect(sealer.seal()).rejects.toThrow(/is gone or was replaced/);
    await expectAllSealedOnce();
  });

  it('goes on in a cluster that counts its transactions from the beginning, into which a dump was loaded', async () => {
    // As a dump has it: entries and seals of transactions that this cluster has not come to.
    await system.db.query(
      `INSERT INTO audit_log (id, at, action, subject_type, subject_id, tx)
       SELECT gen_random_uuid(), parley_now(), 'test.done', 'test', '1', 10^12 FROM generate_series(1, 3)`,
    );
    await runMigrations(system.env['DATABASE_URL']!); // what is done before anything writes
    await sealAll(system);
    const [id] = await audited(system.db);
    await sealAll(system);
    expect((await sealedIds(system)).at(-1)).toEqual([id]);
    const { rows } = await system.db.query('SELECT tx::text FROM audit_log WHERE id = $1', [id]);
    expect(BigInt(rows[0].tx)).toBeGreaterThan(10n ** 12n);
    await runMigrations(system.env['DATABASE_URL']!);
    const [next] = await audited(system.db);
    await sealAll(system);
    expect((await sealedIds(system)).at(-1)).toEqual([next]);
    await expectAllSealedOnce();
  });
});

describe('the audit log’s guards', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
  });
  afterAll(async () => system.stop());

  it('refuse every change of entries and seals, to a superuser too, and with other triggers off', async () => {
    await audited(system.db);
    await sealAll(system);
    const client = await system.db.connect();
    try {
      for (const role of ['origin', 'replica', 'local'])
        for (const [table, change] of [
          ['audit_log', "details = '{}'"],
          ['audit_seals', 'number = number + 1'],
        ])
          for (const statement of [
            `UPDATE ${table} SET ${change}`,
            `DELETE FROM ${table}`,
            `TRUNCATE ${table} CASCADE`,
            `MERGE INTO ${table} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE`,
          ]) {
            await client.query(`SET session_replication_role = ${role}`);
            await expect(client.query(statement)).rejects.toMatchObject({ code: 'PL000' });
          }
    } finally {
      await client.query('RESET session_replication_role');
      client.release();
    }
  });

  it('let no chain fork', async () => {
    const columns = 'first_tx, first_id, last_tx, last_id, entries, digests, entries_hash';
    const copy = (number: string, previous: string) =>
      system.db.query(
        `INSERT INTO audit_seals (number, ${columns}, previous, hash, sealed_at)
         SELECT ${number}, ${columns}, ${previous}, sha256(hash || '1'), sealed_at FROM audit_seals WHERE number = 1`,
      );
    await eventually(async () => (await sealedIds(system)).length > 0);
    await expect(copy('100001', 'NULL')).rejects.toMatchObject({ code: '23514' });
    await expect(copy('1', 'NULL')).rejects.toMatchObject({ code: '23505' });
    await expect(copy('100002', "'\\x00'")).rejects.toMatchObject({ code: '23503' });
  });

  it('are beside a worker that seals by itself, within seconds', async () => {
    const make = new Builders(system);
    const admin = await someone(system, make, 'admin');
    const [one] = await make.players(1);
    await admin.call('PATCH', `admin/users/${one!.userId}`, { body: { role: 'seller', reason: 'other' } });
    const sealed = await eventually(async () => {
      const { rows } = await system.db.query<{ id: string }>(
        "SELECT id FROM audit_log WHERE action = 'user.role-changed' AND subject_id = $1",
        [one!.userId],
      );
      return rows.length === 1 && (await sealedIds(system)).flat().includes(rows[0]!.id);
    }, 60_000);
    expect(sealed).toBe(true);
  }, 90_000);
});
