import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { expireJobLocks, holding, workerStuckAt } from '../support/crash.js';
import { moneyProblems } from '../support/pool-money.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { onSandboxPage } from '../support/sandbox-page.js';
import { eventually, startSystem, type System } from '../support/system.js';

endProcessesAfterAll();

/** What follows an exclusion is done by workers, which may be killed in the midst of it. */
describe('a worker that is killed after an exclusion', () => {
  let system: System;
  let make: Builders;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    for (const week of [202340, 202341]) await make.week(week, { group: false });
  });
  afterAll(async () => system.stop());

  const startWorker = async () => await (await TestProcess.start('worker', system.env)).ready();
  const statusOf = async (client: Client, id: string) => (await client.get(`payments/${id}`)).data.status;

  async function buy(client: Client, purpose: string): Promise<string> {
    const { data } = await client.post(
      'payments/checkout',
      { purpose, currency: 'USD', provider: 'sandbox' },
      { key: randomUUID() },
    );
    await onSandboxPage(data.redirectUrl, { outcome: 'pay', delivery: 'at_once' });
    await eventually(async () => (await statusOf(client, data.paymentId)) === 'succeeded');
    return data.paymentId;
  }

  it.each([
    ['before the refund of the pass', 'payment_refunds', 'INSERT INTO payment_refunds%'],
    ['before the subscription was ended', 'subscriptions', 'UPDATE subscriptions%'],
  ])(
    '%s leaves it to the next one, which does it once',
    async (_, table, statement) => {
      const [player, subscriber] = (await make.players(2)) as [Client, Client];
      const seller = await startWorker();
      const pass = await buy(player, 'week_pass');
      const month = await buy(subscriber, 'subscription');
      await seller.kill('SIGKILL');
      await expireJobLocks(system);

      for (const client of [player, subscriber])
        expect((await client.post('compliance/self-exclusion')).status).toBe(201);
      const release = await holding(system, `LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`);
      const killed = await startWorker();
      await workerStuckAt(system, statement, 'lock');
      await killed.kill('SIGKILL');
      await release();
      await expireJobLocks(system);

      const next = await startWorker();
      await eventually(async () => (await statusOf(player, pass)) === 'refunded');
      await eventually(async () => (await statusOf(subscriber, month)) === 'refunded');
      await eventually(async () => {
        const { rowCount } = await system.db.query(
          `SELECT 1 FROM subscriptions s JOIN sandbox_subscriptions p ON p.id::text = s.provider_reference
           WHERE s.user_id = $1 AND s.cancel_at_period_end AND p.cancel_at_period_end`,
          [subscriber.userId],
        );
        return rowCount === 1;
      });
      const { rows } = await system.db.query(
        `SELECT payment_id, reason, status, count(*)::int AS n FROM payment_refunds WHERE payment_id = ANY ($1)
         GROUP BY 1, 2, 3 ORDER BY 1`,
        [[pass, month]],
      );
      expect(rows).toEqual(
        [pass, month]
          .toSorted()
          .map((id) => ({ payment_id: id, reason: 'SELF_EXCLUDED', status: 'succeeded', n: 1 })),
      );
      const held = await system.db.query('SELECT 1 FROM week_passes WHERE user_id = $1', [player.userId]);
      expect(held.rowCount).toBe(0);
      expect(await moneyProblems(system)).toEqual([]);
      const { rules } = await system.app.get(VerifyService).verify(null);
      expect(rules.filter(({ problems }) => problems.length > 0)).toEqual([]);
      await next.kill('SIGTERM');
    },
    90_000,
  );
});
