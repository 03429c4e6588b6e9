import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { expireJobLocks, holding } from '../support/crash.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';
import { brokenMoney, moneyOf, untilIs, withdraw } from '../support/withdrawals.js';

endProcessesAfterAll();

/** A worker that is killed on the way to the provider, or on the way back. */
describe('a killed worker', () => {
  let system: System;
  let make: Builders;
  let wallets: Wallets;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    wallets = new Wallets(system);
  });
  afterAll(async () => system.stop());

  async function rich(): Promise<Client> {
    const [client] = (await make.players(1)) as [Client];
    await wallets.deposit(client, 100_000n);
    return client;
  }

  const startWorker = async () => await (await TestProcess.start('worker', system.env)).ready();

  /** Waits until a statement of this process's waits for a lock. */
  const stuckAt = (application: string, statement: string) =>
    eventually(async () => {
      const { rowCount } = await system.db.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1 AND query LIKE $2
         AND wait_event_type = 'Lock'`,
        [application, statement],
      );
      return rowCount !== 0;
    });

  const payouts = async (id: string) =>
    (await system.db.query('SELECT status FROM sandbox_payouts WHERE merchant_reference = $1', [id])).rows;

  it.each([
    ['before it wrote down that it would pay', 'withdrawals', 'parley-worker', 'UPDATE withdrawals%'],
    ['while the provider has its order', 'sandbox_payouts', 'parley-api', 'INSERT INTO sandbox_payouts%'],
    ['before it wrote down that it was paid', 'ledger_entries', 'parley-worker', '%ledger_capture%'],
  ])('%s: the next one ends it, and it is paid once', async (_, table, application, statement) => {
    const client = await rich();
    const { data } = await withdraw(client);
    expect(data.status).toBe('approved');
    const release = await holding(system, `LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`);
    const first = await startWorker();
    await stuckAt(application, statement);
    await first.kill('SIGKILL');
    await release();
    await expireJobLocks(system);
    const second = await startWorker();
    await untilIs(system, data.id, 'paid');
    expect(await payouts(data.id)).toEqual([{ status: 'paid' }]);
    expect(await moneyOf(client)).toEqual([95_000, 0]);
    expect(await brokenMoney(system)).toEqual([]);
    await second.kill('SIGTERM');
  });

  it('whose job is lost is done without it', async () => {
    const client = await rich();
    const { data } = await withdraw(client);
    expect(data.status).toBe('approved');
    await system.db.query('DELETE FROM outbox');
    const worker = await startWorker();
    await system.moveTo(new Date(system.now().getTime() + 16 * 60_000));
    await untilIs(system, data.id, 'paid');
    expect(await payouts(data.id)).toEqual([{ status: 'paid' }]);
    expect(await brokenMoney(system)).toEqual([]);
    await worker.kill('SIGTERM');
  });
});
