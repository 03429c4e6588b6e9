import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { weekBounds } from '../../src/modules/pools/domain/calendar.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { WeekSettlementService } from '../../src/modules/settlement/week-settlement.service.js';
import { BoxOffice } from '../support/box-office.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { limitProblems } from '../support/limits.js';
import type { PaymentsBench } from '../support/payments.js';
import { moneyProblems } from '../support/pool-money.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

/** Tuesday of week 40; the draw of week 41 is on the 9th at 04:00 UTC. */
const START = '2023-10-03T12:00:00.000Z';
const HOUR = 3_600_000;
const PASS = 1000;
const SUBSCRIPTION = 3500;

describe('limits of those who pay', () => {
  let office: BoxOffice;
  let bench: PaymentsBench;
  let system: System;
  let make: Builders;
  let admin: Client;
  let player: Client;

  beforeAll(async () => {
    system = await startSystemWithRules(
      {
        payments: { openAtMost: 1000 },
        prizes: { source: 'entryFees', share: 100, minStaked: 100, split: [100] },
      },
      { worker: false, at: START },
    );
    office = await BoxOffice.open(system);
    bench = office.bench;
    make = new Builders(system);
    admin = await make.admin();
    for (let week = 202340; week <= 202352; week += 1) await make.week(week, { group: false });
  });
  afterAll(async () => bench.close());
  beforeEach(async () => {
    await system.moveTo(START);
    [player] = (await make.players(1)) as [Client];
    bench.bank.refundsBecome = 'succeeded';
    bench.bank.mood = 'well';
  });
  afterEach(async () => {
    await bench.deliver();
    expect(await bench.problems()).toEqual([]);
    expect(await moneyProblems(system)).toEqual([]);
    expect(await limitProblems(system)).toEqual([]);
  });

  const later = async (hours: number) => system.moveTo(new Date(system.now().getTime() + hours * HOUR));
  const limit = async (kind: string, amount: number, period = 'month', of = player) => {
    const body = { kind, period, currency: 'USD', amount };
    expect((await of.call('PUT', 'compliance/limits', { body })).status).toBe(200);
  };
  const used = async (kind: string, of = player): Promise<number> =>
    (await of.get('compliance/limits')).data.limits.find((one: { kind: string }) => one.kind === kind).used;
  const refusal = async (body: object = {}) => {
    const { status, error } = await bench.checkout(player, body);
    return status === 201 ? null : [status, error.code, error.details['kind'], error.details['available']];
  };
  const statusOf = async (id: string) => await office.statusOf(player, id);
  const refund = async (id: string, amount?: number) => {
    const answer = await admin.post(
      `admin/payments/${id}/refund`,
      { amount, reason: 'Asked for it' },
      { key: randomUUID() },
    );
    expect(answer.status).toBe(202);
    await bench.deliver();
    return answer.data.id;
  };

  describe('a deposit', () => {
    it('beyond the limit is refused before anything is charged, and changes nothing', async () => {
      await limit('deposit', 4000);
      await bench.paid(player);
      const asked = bench.bank.asked.length;
      const before = await fingerprint(system);
      expect(await refusal()).toEqual([422, 'LIMIT_EXCEEDED', 'deposit', 1500]);
      expect(
        (await player.post('wallet/deposits', { amount: 2500, currency: 'USD' }, { key: randomUUID() })).error
          .code,
      ).toBe('LIMIT_EXCEEDED');
      expect(await fingerprint(system)).toEqual(before);
      expect(bench.bank.asked).toHaveLength(asked);
      await bench.paid(player, { amount: 1500 });
      expect(await bench.available(player)).toBe(4000);
    });

    it.each(['failed', 'expired', 'cancelled'] as const)(
      'that has %s leaves room for another',
      async (status) => {
        await limit('deposit', 2500);
        const id = await bench.begin(player);
        expect(await refusal()).toEqual([422, 'LIMIT_EXCEEDED', 'deposit', 0]);
        await bench.tell(id, { status });
        await bench.paid(player);
        expect(await used('deposit')).toBe(2500);
      },
    );

    it('that the provider declined at once takes no room', async () => {
      await limit('deposit', 2500);
      bench.bank.mood = 'declined';
      expect((await bench.checkout(player)).error.code).toBe('PAYMENT_DECLINED');
      bench.bank.mood = 'well';
      await bench.paid(player);
    });

    it('that comes after it was given up is booked and counts, whatever the limit says by then', async () => {
      await limit('deposit', 2500);
      const id = await bench.begin(player);
      await bench.tell(id, { status: 'expired' });
      await bench.paid(player);
      await bench.tell(id, { status: 'succeeded' });
      expect([await statusOf(id), await bench.available(player), await used('deposit')]).toEqual([
        'succeeded',
        5000,
        5000,
      ]);
      expect(await refusal({ amount: 500 })).toEqual([422, 'LIMIT_EXCEEDED', 'deposit', 0]);
    });

    it('told of fifty times counts once', async () => {
      await limit('deposit', 2500);
      const id = await bench.begin(player);
      const word = bench.bank.decide(id, { status: 'succeeded' });
      await Promise.all(Array.from({ length: 50 }, async () => await bench.send(bench.bank.about(word))));
      await bench.deliver();
      expect([await bench.available(player), await used('deposit')]).toEqual([2500, 2500]);
    });

    it('of another amount than was ordered, or of who was barred meanwhile, is none', async () => {
      await limit('deposit', 2500);
      const id = await bench.begin(player);
      await bench.tell(id, { status: 'succeeded', paid: { amount: 2000, currency: 'USD' } });
      expect([await statusOf(id), await used('deposit')]).toEqual(['in_review', 0]);
      const barred = await bench.begin(player);
      expect((await player.post('compliance/time-out', { days: 1 })).status).toBe(201);
      await bench.tell(barred, { status: 'succeeded' });
      expect([await statusOf(barred), await used('deposit')]).toEqual(['refunded', 0]);
    });

    it('that is given back, in part and then whole, leaves room as it goes, and takes it when a bank refuses it', async () => {
      await limit('deposit', 2500);
      const id = await bench.paid(player);
      await refund(id, 1000);
      expect(await used('deposit')).toBe(1500);
      const rest = await refund(id);
      expect(await used('deposit')).toBe(0);
      const { rows } = await system.db.query(
        'SELECT provider_reference AS reference FROM payment_refunds WHERE id = $1',
        [rest],
      );
      const told = {
        id: `ev_${randomUUID()}`,
        type: 'refund.failed',
        about: 'refund',
        ourId: rest,
        reference: rows[0].reference,
      };
      const state = {
        id: rest,
        reference: rows[0].reference,
        status: 'failed',
        amount: 1500,
        currency: 'USD',
        failureCode: 'refused',
      };
      for (let times = 0; times < 3; times += 1)
        await bench.send({ ...told, id: `${told.id}${times}`, state });
      await bench.deliver();
      expect([await bench.available(player), await used('deposit')]).toEqual([1500, 1500]);
    });

    it('of 40 that are begun at once: what they come to reaches the limit, and never passes it', async () => {
      await limit('deposit', 10_000, 'day');
      const amounts = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 500 : 1500));
      const answers = await Promise.all(
        amounts.map(async (amount) => await bench.checkout(player, { amount })),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 422]));
      const begun = answers.filter(({ status }) => status === 201).map(({ data }) => data.paymentId);
      await Promise.all(
        begun.map(
          async (id) => await bench.send(bench.bank.about(bench.bank.decide(id, { status: 'succeeded' }))),
        ),
      );
      await bench.deliver();
      const total = await bench.available(player);
      expect(total).toBeLessThanOrEqual(10_000);
      expect(total).toBeGreaterThan(10_000 - 500);
      expect(await used('deposit')).toBe(total);
    });

    it('asked for again under its key is the same one, and counts once', async () => {
      await limit('deposit', 2500);
      const key = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 20 }, async () => await bench.checkout(player, {}, key)),
      );
      expect(new Set(answers.map(({ status, data }) => `${status} ${data?.paymentId}`)).size).toBe(1);
      expect(await used('deposit')).toBe(2500);
    });

    it('keeps where its payer was', async () => {
      const id = await bench.begin(player);
      const { rows } = await system.db.query('SELECT place FROM payments WHERE id = $1', [id]);
      expect(rows).toEqual([{ place: system.config.GEO_LOCAL_PLACE }]);
      await bench.tell(id, { status: 'failed' });
    });
  });

  describe('a purchase', () => {
    it.each([
      ['deposit', PASS - 1],
      ['stake', PASS - 1],
      ['loss', PASS - 1],
    ])('is held to a limit of its %s', async (kind, amount) => {
      await limit(kind, amount);
      expect(await refusal({ purpose: 'week_pass', amount: undefined })).toEqual([
        422,
        'LIMIT_EXCEEDED',
        kind,
        amount,
      ]);
    });

    it('counts as all of them, and as none when it goes back', async () => {
      for (const kind of ['deposit', 'stake', 'loss']) await limit(kind, 5000);
      const id = await office.buy(player, 'week_pass');
      for (const kind of ['deposit', 'stake', 'loss']) expect(await used(kind)).toBe(PASS);
      await refund(id);
      for (const kind of ['deposit', 'stake', 'loss']) expect(await used(kind)).toBe(0);
    });

    it('that could do nothing any more counts as none', async () => {
      await limit('deposit', 5000);
      const ids = [await office.begin(player, 'week_pass'), await office.begin(player, 'week_pass')];
      expect(await used('deposit')).toBe(2 * PASS);
      for (const id of ids) await bench.tell(id, { status: 'succeeded' });
      expect([await statusOf(ids[0]!), await statusOf(ids[1]!)]).toEqual(['succeeded', 'refunded']);
      expect(await used('deposit')).toBe(PASS);
    });
  });

  describe('a renewal', () => {
    const END = '2023-11-03T12:00:00Z';
    const NEXT = '2023-12-03T12:00:00Z';
    const renewals = async () =>
      (
        await system.db.query(
          `SELECT p.status, p.review, p.place, s.status AS subscription FROM payments p JOIN subscriptions s ON s.id = p.subscription_id
           WHERE p.user_id = $1 AND p.period_end > '2023-11-10' ORDER BY p.id`,
          [player.userId],
        )
      ).rows;

    it('within the limits counts, where its user subscribed', async () => {
      await limit('deposit', SUBSCRIPTION);
      const id = await office.subscribe(player, END);
      await system.moveTo(END);
      await office.renew(id, NEXT);
      expect(await renewals()).toEqual([
        { status: 'succeeded', review: null, place: system.config.GEO_LOCAL_PLACE, subscription: 'active' },
      ]);
      expect(await used('deposit')).toBe(SUBSCRIPTION); // of November
    });

    it('beyond what is left goes back, once, and the subscription goes on', async () => {
      await limit('deposit', SUBSCRIPTION);
      const id = await office.subscribe(player, END);
      await system.moveTo(END);
      await bench.paid(player, { amount: 500 });
      for (let times = 0; times < 3; times += 1) await office.renew(id, NEXT);
      expect(await renewals()).toMatchObject([
        { status: 'refunded', review: 'LIMIT_EXCEEDED', subscription: 'active' },
      ]);
      expect(await used('deposit')).toBe(500);
      const after = '2024-01-03T12:00:00Z';
      await system.moveTo(NEXT);
      await office.renew(id, after);
      expect(await renewals()).toMatchObject([{ status: 'refunded' }, { status: 'succeeded' }]);
    });

    it('that no window could ever hold goes back, and ends the subscription', async () => {
      await limit('stake', SUBSCRIPTION);
      const id = await office.subscribe(player, END);
      await limit('stake', SUBSCRIPTION - 1);
      await system.moveTo(END);
      await office.renew(id, NEXT);
      expect(await renewals()).toMatchObject([
        { status: 'refunded', review: 'LIMIT_EXCEEDED', subscription: 'cancelled' },
      ]);
      expect(bench.bank.cancelled).toContain(`sub_${id}`);
      expect(await used('stake')).toBe(0);
    });
  });

  describe('a week that was played', () => {
    const WEEK = 202341;
    let players: Client[];
    let subscriber: Client;
    const lossOf = async ({ userId }: Client) => {
      const { rows } = await system.db.query(
        `SELECT coalesce((SELECT sum(amount) FROM limit_entries WHERE user_id = $1 AND kind = 'loss'), 0)::int AS lost,
                (SELECT sum(at_risk) FROM limit_bookings WHERE user_id = $1)::int AS risk`,
        [userId],
      );
      return [rows[0].lost, rows[0].risk];
    };
    const rank = async (order: readonly Client[]) => {
      for (const [place, { userId }] of order.entries())
        await system.db.query(
          `UPDATE pool_members SET balance = balance + d.more, paid_out = paid_out + 200 + d.more, staked = staked + 200
           FROM (SELECT $2::int AS more) d WHERE user_id = $1`,
          [userId, (order.length - place) * 100],
        );
    };

    it('is lost but for the prizes, once it is settled; a correction corrects that', async () => {
      players = await make.players(3);
      [subscriber] = (await make.players(1)) as [Client];
      for (const one of players) await office.buy(one, 'week_pass');
      await office.subscribe(subscriber, '2023-11-03T12:00:00Z'); // four weeks: 875 each
      const everyone = [...players, subscriber];
      await limit('loss', PASS, 'month', players[1]);
      for (const one of players) expect(await lossOf(one)).toEqual([0, PASS]);
      const { startsAt, endsAt } = weekBounds(WEEK);
      await system.moveTo(startsAt);
      await make.week(WEEK);
      await system.moveTo(endsAt);
      await rank(everyone);
      // Somebody whose limit is used up by what is at risk stakes no more until it is decided.
      expect(
        (await bench.checkout(players[1]!, { purpose: 'week_pass', amount: undefined })).error.code,
      ).toBe('LIMIT_EXCEEDED');
      await system.app.get(WeeksService).close(WEEK);
      const settle = async () => await system.app.get(WeekSettlementService).settleIfReady(WEEK);
      await Promise.all([settle(), settle(), settle()]);
      const { rows } = await system.db.query('SELECT amount::int FROM prize_pots WHERE week_id = $1', [WEEK]);
      const pot = rows[0].amount;
      expect(pot).toBeGreaterThanOrEqual(3 * PASS + 875);
      expect(await Promise.all(everyone.map(lossOf))).toEqual([
        [PASS - pot, 0],
        [PASS, 0],
        [PASS, 0],
        [875, SUBSCRIPTION - 875],
      ]);
      await rank([players[2]!, players[1]!, players[0]!]);
      await rank([players[2]!]);
      await system.app.get(WeekSettlementService).settleNow(WEEK, admin.userId);
      expect(await Promise.all(everyone.map(lossOf))).toEqual([
        [PASS, 0],
        [PASS, 0],
        [PASS - pot, 0],
        [875, SUBSCRIPTION - 875],
      ]);
      // In its window it counts from when it was decided, and then no more.
      expect(await used('loss', players[1])).toBe(PASS);
      await system.moveTo('2023-11-01T00:00:00Z');
      expect(await used('loss', players[1])).toBe(0);
      await later(1);
    });
  });
});
