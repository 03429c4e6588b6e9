import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SubscriptionsService } from '../../src/modules/payments/subscriptions.service.js';
import { LeavingService } from '../../src/modules/pools/leaving.service.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { BoxOffice } from '../support/box-office.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { PaymentsBench } from '../support/payments.js';
import { moneyProblems } from '../support/pool-money.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

/** Tuesday of week 40; the draw of week 41 is on the 9th at 04:00 UTC. */
const START = '2023-10-03T12:00:00Z';
const DRAW = '2023-10-09T04:00:00Z';
const WEEK = 202341;

/** What was bought by somebody who excludes themselves; the tests do what the workers do, as often as they want. */
describe('what was bought before an exclusion', () => {
  let office: BoxOffice;
  let bench: PaymentsBench;
  let system: System;
  let make: Builders;
  let player: Client;

  beforeAll(async () => {
    system = await startSystemWithRules(
      { prizes: { source: 'entryFees', share: 80 } },
      { worker: false, at: START },
    );
    office = await BoxOffice.open(system);
    bench = office.bench;
    make = new Builders(system);
    for (const week of [202340, WEEK]) await make.week(week, { group: false });
  });
  afterAll(async () => bench.close());
  beforeEach(async () => {
    [player] = (await make.players(1)) as [Client];
  });
  afterEach(async () => {
    expect(await bench.problems()).toEqual([]);
    expect(await moneyProblems(system)).toEqual([]);
  });

  const exclude = async () => {
    expect((await player.post('compliance/self-exclusion')).status).toBe(201);
    await follow();
    await Promise.all([follow(), follow(), follow()]);
    await bench.deliver();
  };
  const follow = async () => {
    await system.app.get(LeavingService).refundUnused(player.userId);
    await system.app.get(SubscriptionsService).leave(player.userId);
  };
  const refunds = async (id: string) =>
    (
      await system.db.query('SELECT amount::int, reason, status FROM payment_refunds WHERE payment_id = $1', [
        id,
      ])
    ).rows;
  const passes = async () =>
    (await system.db.query('SELECT 1 FROM week_passes WHERE user_id = $1', [player.userId])).rowCount;

  it('goes back to the payer when it is a pass that was not used, once', async () => {
    const id = await office.buy(player, 'week_pass');
    await exclude();
    expect(await office.statusOf(player, id)).toBe('refunded');
    expect(await refunds(id)).toEqual([{ amount: 1000, reason: 'SELF_EXCLUDED', status: 'succeeded' }]);
    expect(await passes()).toBe(0);
    expect(await bench.available(player)).toBe(0);
  });

  it('leaves money in the wallet as it is', async () => {
    await bench.paid(player);
    await exclude();
    expect(await bench.available(player)).toBe(2500);
  });

  it('goes back when it is a subscription no week of which was drawn, and it is cancelled', async () => {
    const id = await office.subscribe(player, '2023-11-03T12:00:00Z');
    await exclude();
    expect(await office.statusOf(player, id)).toBe('refunded');
    expect(await refunds(id)).toHaveLength(1);
    expect((await player.get('payments/subscription')).data.cancelAtPeriodEnd).toBe(true);
    expect(bench.bank.cancelled).toContain(`sub_${id}`);
  });

  it('goes back when it is paid for after the exclusion, and a subscription so begun goes on nowhere', async () => {
    const ids = [
      await office.begin(player, 'week_pass'),
      await office.begin(player, 'subscription'),
    ] as const;
    await exclude();
    await bench.tell(ids[0], { status: 'succeeded' });
    await bench.tell(ids[1], { status: 'succeeded', periodEnd: '2023-11-03T12:00:00Z' });
    for (const id of ids) expect(await office.statusOf(player, id)).toBe('refunded');
    expect((await player.get('payments/subscription')).data.status).toBe('cancelled');
    expect(bench.bank.cancelled).toContain(`sub_${ids[1]}`);
  });

  it('stands when its week was drawn: it is played, and what is for later weeks is the operator’s to give back', async () => {
    const pass = await office.buy(player, 'week_pass');
    const [drawn, subscriber] = [player, (await make.players(1))[0]!];
    const month = await office.subscribe(subscriber, '2023-11-03T12:00:00Z');
    await system.moveTo(DRAW);
    await make.week(WEEK);
    await system.app.get(WeeksService).openNext();
    for (player of [drawn, subscriber]) await exclude();
    expect(await office.statusOf(drawn, pass)).toBe('succeeded');
    expect(await office.statusOf(subscriber, month)).toBe('succeeded');
    expect(bench.bank.cancelled).toContain(`sub_${month}`);
    const { rows } = await system.db.query(
      'SELECT balance::int FROM pool_members WHERE week_id = $1 AND user_id = ANY ($2)',
      [WEEK, [drawn.userId, subscriber.userId]],
    );
    expect(rows).toEqual([{ balance: 1000 }, { balance: 1000 }]); // their places
  });
});
