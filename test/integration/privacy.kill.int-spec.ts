import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { expireJobLocks, holding, workerStuckAt } from '../support/crash.js';
import { unzip } from '../support/exports.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { eventually, startSystem, type System } from '../support/system.js';

endProcessesAfterAll();

/** A worker that is killed in the middle of what only it does; another one ends it. */
describe('a killed worker', () => {
  let system: System;
  let make: Builders;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
  });
  afterAll(async () => system.stop());

  async function startWorker(): Promise<TestProcess> {
    return await (await TestProcess.start('worker', system.env)).ready();
  }

  it('leaves an export half written: the next one writes it anew', async () => {
    const [player] = (await make.players(1)) as [Client];
    await system.db.query('SELECT bets_open_week(202340)');
    await system.db.query(
      `INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, price_num, price_den, stake,
                         potential_payout, placed_at)
       SELECT n, 202340, gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'home', 21, 11, n, n,
              now()
       FROM generate_series(1, 8000) n`,
      [player.userId],
    );
    await system.db.query(`
      CREATE FUNCTION stop_at_the_second_piece() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.number = 1 THEN PERFORM pg_advisory_xact_lock(7777); END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER stop BEFORE INSERT ON data_export_chunks FOR EACH ROW EXECUTE FUNCTION stop_at_the_second_piece()`);
    const release = await holding(system, 'SELECT pg_advisory_xact_lock(7777)');
    await player.post('users/me/export');
    const first = await startWorker();
    await workerStuckAt(system, 'WITH mine AS%', 'lock');
    const { data: half } = await player.get('users/me/export');
    expect(half.status).toBe('running');
    expect(half.progress.bytes).toBe(256 * 1024);
    await first.kill('SIGKILL');
    await expireJobLocks(system);
    await release();
    const second = await startWorker();
    const done = await eventually(async () => {
      const { data } = await player.get('users/me/export');
      return data.status === 'ready' ? data : null;
    });
    const zip = await (await fetch(`${system.url}${done.downloadUrl}`)).arrayBuffer();
    const files = await unzip(Buffer.from(zip));
    expect(files['bets.json'].map(({ id }: { id: string }) => Number(id))).toEqual(
      Array.from({ length: 8000 }, (_, n) => n + 1),
    );
    const { rows } = await system.db.query('SELECT DISTINCT attempt FROM data_export_chunks');
    expect(rows).toEqual([{ attempt: 2 }]);
    await second.kill('SIGTERM');
  }, 90_000);

  it('leaves an erasure not begun: the next one does all of it', async () => {
    const [player] = (await make.players(1)) as [Client];
    await system.db.query('INSERT INTO session_settings (user_id, idle_seconds) VALUES ($1, 600)', [
      player.userId,
    ]);
    const closing = await player.call('DELETE', 'users/me', { body: {} });
    await system.moveTo(closing.data.closingAt);
    const release = await holding(system, 'SELECT FROM profiles WHERE user_id = $1 FOR UPDATE', [
      player.userId,
    ]);
    const first = await startWorker();
    await workerStuckAt(system, 'UPDATE profiles%', 'lock');
    await first.kill('SIGKILL');
    await expireJobLocks(system);
    await release();
    const state = async () =>
      (
        await system.db.query(
          `SELECT u.status, u.email, (SELECT count(*)::int FROM session_settings s WHERE s.user_id = u.id) AS settings,
                  (SELECT count(*)::int FROM audit_log WHERE action = 'user.erased' AND subject_id = u.id::text) AS audited
           FROM users u WHERE id = $1`,
          [player.userId],
        )
      ).rows[0];
    await eventually(async () => {
      const { rows } = await system.db.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'parley-worker'",
      );
      return rows.length === 0;
    });
    expect(await state()).toMatchObject({
      status: 'active',
      email: expect.any(String),
      settings: 1,
      audited: 0,
    });
    const second = await startWorker();
    await eventually(async () => (await state()).status === 'erased');
    expect(await state()).toEqual({ status: 'erased', email: null, settings: 0, audited: 1 });
    await second.kill('SIGTERM');
  }, 90_000);
});
