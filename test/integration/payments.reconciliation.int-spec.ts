import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ChecksService } from '../../src/modules/payments/checks.service.js';
import { ReconciliationService } from '../../src/modules/payments/reconciliation.service.js';
import type { Client } from '../support/client.js';
import { PaymentsBench } from '../support/payments.js';

let bench: PaymentsBench;
let player: Client;
let admin: Client;
/** Each test has days of its own. */
let day = Date.parse('2023-10-03T00:00:00Z');

beforeAll(async () => {
  bench = await PaymentsBench.start();
  admin = await bench.make.admin();
});
afterAll(async () => bench.close());

beforeEach(async () => {
  day += 20 * 86_400_000;
  await at(12);
  [player] = (await bench.make.players(1)) as [Client];
  bench.bank.payments.clear();
  bench.bank.mood = 'well';
  await caughtUp();
});
afterEach(async () => {
  await bench.deliver();
  expect(await bench.problems()).toEqual([]);
});

/** Hours of the test's first day. */
const at = async (hours: number) => bench.system.moveTo(new Date(day + hours * 3_600_000));
const lists = () => bench.bank.asked.filter((what) => what === 'GET /list').length;
const compare = async () => {
  const more = await bench.system.app.get(ReconciliationService).compareDays();
  await bench.deliver();
  return more;
};
/** The days between the tests. */
async function caughtUp(): Promise<void> {
  while (await compare()) continue;
}
const check = async () => {
  await bench.system.app.get(ChecksService).run();
  await bench.deliver();
};
const differences = async (query = '') =>
  (await admin.get(`admin/payments/differences?limit=100${query}`)).data;
const ofPayment = async (id: string, query = '') =>
  (await differences(query)).filter((row: { paymentId: string }) => row.paymentId === id);
const statusOf = async (id: string) => (await player.get(`payments/${id}`)).data.status;

describe('a payment that nobody tells of', () => {
  it('is asked about after 15 minutes, and then less and less often', async () => {
    const id = await bench.begin(player);
    const asked = () => bench.bank.asked.filter((what) => what === 'GET /payments').length;
    const before = asked();
    const counts: number[] = [];
    for (const hours of [12.2, 12.3, 12.5, 12.6, 13, 14.1, 15]) {
      await at(hours);
      await check();
      counts.push(asked() - before);
    }
    expect([counts, await statusOf(id)]).toEqual([[0, 1, 1, 1, 2, 3, 3], 'pending']);
    bench.bank.decide(id, { status: 'succeeded' });
    await at(24);
    await check();
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
  });

  it('is asked about once, however many workers look', async () => {
    await bench.begin(player);
    await at(12.5);
    const before = bench.bank.asked.length;
    await Promise.all(Array.from({ length: 8 }, () => bench.system.app.get(ChecksService).run()));
    expect(bench.bank.asked.length - before).toBe(1);
  });

  it('has expired after three days without a word, and still takes its money', async () => {
    const id = await bench.begin(player);
    await at(12 + 71);
    await check();
    expect(await statusOf(id)).toBe('pending');
    await at(12 + 80);
    await check();
    expect((await player.get(`payments/${id}`)).data).toMatchObject({
      status: 'expired',
      failureCode: 'never_finished',
    });
    await bench.tell(id, { status: 'succeeded' });
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
  });

  it('is not given up while its provider cannot be asked', async () => {
    const id = await bench.begin(player);
    bench.bank.mood = 'down';
    for (const hours of [13, 60, 100]) {
      await at(hours);
      await check();
    }
    bench.bank.mood = 'well';
    expect(await statusOf(id)).toBe('pending');
  });
});

describe("a day's books", () => {
  it('that agree are compared once, and nothing is reported', async () => {
    const id = await bench.paid(player);
    const before = lists();
    await at(26);
    await compare();
    expect(lists() - before).toBe(0); // the day is not over for three hours
    await at(28);
    await Promise.all(Array.from({ length: 5 }, () => compare()));
    expect(lists() - before).toBe(1);
    expect(await ofPayment(id)).toEqual([]);
    const { rows } = await bench.system.db.query(
      "SELECT listed, booked FROM payment_reconciliations WHERE provider = 'scripted' AND day = $1",
      [new Date(day).toISOString().slice(0, 10)],
    );
    expect(rows).toEqual([{ listed: 1, booked: 1 }]);
  });

  it('of which nobody compared any for long are caught up with, the oldest first, some at a time', async () => {
    const id = await bench.begin(player);
    await bench.tell(id, { status: 'failed', failureCode: 'card_declined' });
    await at(36);
    bench.bank.decide(id, { status: 'succeeded' }); // and no webhook
    const before = lists();
    await at(12 * 24);
    expect(await compare()).toBe(true);
    expect([lists() - before, await statusOf(id), await bench.available(player)]).toEqual([
      7,
      'succeeded',
      2500,
    ]);
    expect(await compare()).toBe(false);
    const days = async () => {
      const { rows } = await bench.system.db.query<{ day: string }>(
        `SELECT day::text FROM payment_reconciliations
         WHERE provider = 'scripted' AND day >= $1 AND completed_at IS NOT NULL ORDER BY day`,
        [new Date(day).toISOString().slice(0, 10)],
      );
      return rows.map((row) => (Date.parse(row.day) - day) / 86_400_000);
    };
    expect([lists() - before, await days()]).toEqual([11, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]);
    await Promise.all(Array.from({ length: 5 }, () => compare()));
    expect(lists() - before).toBe(11);
  });

  it('of a day that could not be compared are compared later, and hold up none that come after', async () => {
    const before = lists();
    bench.bank.mood = 'down';
    await at(4 * 24);
    expect(await compare()).toBe(false);
    expect(lists() - before).toBe(1);
    bench.bank.mood = 'well';
    await compare(); // the first may still be worked at
    expect(lists() - before).toBe(3);
    await at(4 * 24 + 1.1);
    await compare();
    await compare();
    expect(lists() - before).toBe(4);
  });

  it('name money of which nobody told: it is reported and booked', async () => {
    const id = await bench.begin(player);
    await bench.tell(id, { status: 'failed', failureCode: 'card_declined' });
    bench.bank.decide(id, { status: 'succeeded' }); // and no webhook
    await at(28);
    await compare();
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
    expect(await ofPayment(id)).toEqual([]);
    expect(await ofPayment(id, '&status=resolved')).toMatchObject([
      { kind: 'not_booked', ours: null, theirs: 2500, currency: 'USD', resolvedAt: expect.any(String) },
    ]);
  });

  it('are not made of what is on its way still', async () => {
    await at(28);
    const id = await bench.begin(player);
    bench.bank.decide(id, { status: 'succeeded' });
    await compare();
    expect([await statusOf(id), await ofPayment(id, '&status=resolved')]).toEqual(['pending', []]);
    await at(28 + 24);
    await compare();
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
  });

  it('name money of a payment that we do not know', async () => {
    const id = await bench.begin(player);
    const stranger = {
      ...bench.bank.decide(id, { status: 'succeeded' }),
      id: randomUUID(),
      reference: 'strange',
    };
    bench.bank.payments.clear();
    bench.bank.payments.set(stranger.id, stranger);
    await at(28);
    await compare();
    expect(await differences()).toContainEqual(
      expect.objectContaining({ kind: 'unknown_here', reference: 'strange', theirs: 2500, paymentId: null }),
    );
  });

  it('lack money that we have booked', async () => {
    const id = await bench.paid(player);
    bench.bank.payments.delete(id);
    await at(28);
    await compare();
    expect(await ofPayment(id)).toMatchObject([{ kind: 'missing_there', ours: 2500, theirs: null }]);
  });

  it('have another amount; which an operator closes, once', async () => {
    const id = await bench.paid(player);
    bench.bank.payments.get(id)!.paid = { amount: 2400, currency: 'USD' };
    await at(28);
    await compare();
    const [found] = await ofPayment(id);
    expect(found).toMatchObject({ kind: 'amount_differs', ours: 2500, theirs: 2400 });
    expect((await player.get('admin/payments/differences')).error.code).toBe('FORBIDDEN');
    const close = async () =>
      await admin.post(`admin/payments/differences/${found.id}/resolve`, { note: 'A fee' });
    const answers = await Promise.all([close(), close()]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404]);
    expect(await ofPayment(id)).toEqual([]);
    expect(await ofPayment(id, '&status=resolved')).toMatchObject([{ note: 'A fee' }]);
    await at(28 + 24);
    await compare();
    expect(await ofPayment(id)).toEqual([]); // it is known
  });

  it('that come to agree later close what was reported', async () => {
    const id = await bench.paid(player);
    bench.bank.payments.get(id)!.paid = { amount: 2400, currency: 'USD' };
    await at(28);
    await compare();
    expect(await ofPayment(id)).toHaveLength(1);
    bench.bank.payments.get(id)!.paid = { amount: 2500, currency: 'USD' };
    await at(28 + 24);
    await compare();
    expect(await ofPayment(id)).toEqual([]);
  });

  it('of a provider that cannot be reached are compared later', async () => {
    const id = await bench.paid(player);
    bench.bank.payments.delete(id);
    await at(28);
    bench.bank.mood = 'down';
    await compare();
    expect(await ofPayment(id)).toEqual([]);
    bench.bank.mood = 'well';
    await at(29.1);
    await compare();
    expect(await ofPayment(id)).toHaveLength(1);
  });
});
