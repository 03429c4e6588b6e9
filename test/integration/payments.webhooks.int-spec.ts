import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ChecksService } from '../../src/modules/payments/checks.service.js';
import { ProviderEventsService } from '../../src/modules/payments/provider-events.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { PaymentsBench, paysByBank, START } from '../support/payments.js';
import { startSystemWithRules } from '../support/rules-folder.js';

const WEEK_MINUTES = 7 * 24 * 60;

let bench: PaymentsBench;
let player: Client;

paysByBank({}, (paying) => {
  ({ bench, player } = paying);
});
beforeEach(async () => {
  await bench.system.db.query('DELETE FROM provider_events');
});

const later = async (minutes: number) =>
  bench.system.moveTo(new Date(bench.system.now().getTime() + minutes * 60_000));
const statusOf = async (id: string) => (await player.get(`payments/${id}`)).data.status;
/** The bank's webhook of a payment that was paid. */
const success = (id: string, over: object = {}) =>
  bench.bank.about(bench.bank.decide(id, { status: 'succeeded' }), over);

describe('a webhook', () => {
  it('that comes twice is one event with one effect', async () => {
    const event = success(await bench.begin(player));
    expect([await bench.send(event), await bench.send(event)]).toEqual([200, 200]);
    await bench.deliver();
    expect(await bench.send(event)).toBe(200);
    await bench.deliver();
    expect([await bench.outcomes(), await bench.available(player)]).toEqual([{ applied: 1 }, 2500]);
  });

  it('that comes 100 times at once is one event with one effect', async () => {
    const event = success(await bench.begin(player));
    const answers = await Promise.all(Array.from({ length: 100 }, () => bench.send(event)));
    expect(new Set(answers)).toEqual(new Set([200]));
    await bench.deliver();
    expect([await bench.outcomes(), await bench.available(player)]).toEqual([{ applied: 1 }, 2500]);
  });

  it('that cannot be applied is told to operators, with how long it has failed', async () => {
    const [id, another] = [await bench.begin(player), await bench.begin(player)];
    await bench.tell(another, { status: 'succeeded' });
    await bench.send(
      success(id, { state: { ...bench.bank.payments.get(id), aliases: [`intent_${another}`] } }),
    );
    await expect(bench.deliver()).rejects.toThrow(/a reference of another/);
    const told = async () => {
      const text = await (await fetch(`${bench.system.url}/metrics`)).text();
      const of = (metric: string) =>
        Number(new RegExp(`parley_payments_attention${metric}\\{what="failing"\\} (\\d+)`).exec(text)?.[1]);
      return [of(''), Math.round(of('_seconds') / 60)];
    };
    await later(5);
    expect(await told()).toEqual([0, 0]);
    await later(25);
    await bench.system.app.get(ChecksService).run();
    expect(await told()).toEqual([1, 30]);
    await bench.system.db.query("DELETE FROM outbox WHERE topic = 'payments.provider-event-received'");
    await bench.system.db.query('DELETE FROM provider_events WHERE applied_at IS NULL');
    expect(await told()).toEqual([0, 0]);
  });

  it('of which 100 of one payment come, each another event, books the money once', async () => {
    const id = await bench.begin(player);
    await Promise.all(Array.from({ length: 100 }, () => bench.send(success(id))));
    const { rows } = await bench.system.db.query<{ id: string }>('SELECT id FROM provider_events');
    const events = bench.system.app.get(ProviderEventsService);
    // As 8 workers do that were given the same jobs.
    await Promise.all([...rows, ...rows].map((row) => events.apply(row.id)));
    expect([await bench.outcomes(), await bench.available(player)]).toEqual([
      { applied: 1, stale: 99 },
      2500,
    ]);
  });

  it('that is overtaken by a later one changes nothing any more', async () => {
    const id = await bench.begin(player);
    const pending = bench.bank.about(bench.bank.payments.get(id)!);
    const failed = bench.bank.about(
      bench.bank.decide(id, { status: 'failed', failureCode: 'card_declined' }),
    );
    const paid = success(id);
    for (const event of [paid, failed, pending]) await bench.send(event);
    await bench.deliver();
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
    expect(await bench.outcomes()).toEqual({ applied: 1, stale: 2 });
  });

  it.each(['failed', 'expired', 'cancelled'] as const)(
    'of success after the payment had %s brings the money all the same',
    async (status) => {
      const id = await bench.begin(player);
      await bench.tell(id, { status });
      expect([await statusOf(id), await bench.available(player)]).toEqual([status, 0]);
      await later(60);
      await bench.tell(id, { status: 'succeeded' });
      expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
    },
  );

  it('that is forged is refused and not even stored', async () => {
    const id = await bench.begin(player);
    const event = success(id);
    const body = JSON.stringify(event);
    const right = bench.bank.sign(body);
    const forged: [string, Record<string, string>][] = [
      ['no signature', {}],
      ['of another body', bench.bank.sign(`${body} `)],
      ['of another time', { ...right, 'Bank-Time': String(Number(right['Bank-Time']) + 1) }],
      ['cut', { ...right, 'Bank-Signature': right['Bank-Signature']!.slice(1) }],
      ['too old', bench.bank.sign(body, new Date(bench.system.now().getTime() - 301_000))],
      ['from the future', bench.bank.sign(body, new Date(bench.system.now().getTime() + 301_000))],
    ];
    for (const [what, headers] of forged)
      expect([what, await bench.send(event, headers)]).toEqual([what, 401]);
    expect([await bench.outcomes(), await statusOf(id)]).toEqual([{}, 'pending']);
  });

  it('that was taken down and is sent again after a week is refused, and if it could be signed anew it would be known', async () => {
    const id = await bench.begin(player);
    const event = success(id);
    const headers = bench.bank.sign(JSON.stringify(event));
    expect(await bench.send(event, headers)).toBe(200);
    await bench.deliver();
    await later(WEEK_MINUTES);
    expect([await bench.send(event, headers), await bench.send(event)]).toEqual([401, 200]);
    await bench.deliver();
    expect([await bench.outcomes(), await bench.available(player)]).toEqual([{ applied: 1 }, 2500]);
  });

  it('about a payment nobody knows is kept for an operator and does nothing', async () => {
    const stranger = { id: randomUUID(), reference: 'bank_of_nobody', ourId: randomUUID() };
    const event = { ...success(await bench.begin(player)), ...stranger };
    expect(await bench.send(event)).toBe(200);
    await bench.deliver();
    expect([await bench.outcomes(), await bench.available(player)]).toEqual([{ unknown: 1 }, 0]);
    const { body } = await (await bench.make.admin()).get('admin/payments/differences');
    expect(body.data).toEqual([]);
  });

  it('of a provider that is not there is refused', async () => {
    const response = await fetch(`${bench.system.url}/api/v1/payments/webhooks/nobody`, {
      method: 'POST',
      body: '{}',
    });
    expect(response.status).toBe(422);
  });

  it('of one provider has no say about the payment of another', async () => {
    const id = await bench.begin(player);
    await bench.system.db.query("UPDATE payments SET provider = 'other' WHERE id = $1", [id]);
    await bench.system.db.query("UPDATE payment_references SET provider = 'other' WHERE payment_id = $1", [
      id,
    ]);
    await bench.send(success(id));
    await bench.deliver();
    expect([await bench.outcomes(), await statusOf(id)]).toEqual([{ unknown: 1 }, 'pending']);
  });

  it('that proves nothing only makes the provider be asked', async () => {
    const id = await bench.begin(player);
    const hint = (over: object = {}) => ({
      ...bench.bank.about(bench.bank.payments.get(id)!),
      state: null,
      hint: true,
      ...over,
    });
    // It says succeeded, and the bank says pending.
    await bench.send(hint({ type: 'payment.succeeded' }), {});
    await bench.deliver();
    expect([await statusOf(id), await bench.outcomes()]).toEqual(['pending', { stale: 1 }]);
    bench.bank.decide(id, { status: 'succeeded' });
    await bench.send(hint(), {});
    await bench.deliver();
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
    // Of nothing of ours it is not worth a row: anyone may have sent it.
    await bench.send(hint({ reference: 'x', ourId: randomUUID() }), {});
    expect(await bench.outcomes()).toEqual({ stale: 1, applied: 1 });
  });

  it('of a second success under another name moves nothing, and is told to operators', async () => {
    const id = await bench.paid(player);
    const reference = `second_${id}`;
    const state = { ...bench.bank.payments.get(id)!, reference, aliases: [] };
    await bench.send(success(id, { reference, state }));
    await bench.send(success(id));
    await bench.deliver();
    expect([await bench.outcomes(), await bench.available(player)]).toEqual([
      { applied: 1, review: 1, stale: 1 },
      2500,
    ]);
    const { rows } = await bench.system.db.query(
      "SELECT details->>'reason' AS reason FROM audit_log WHERE subject_id = $1 AND action = 'payment.review'",
      [id],
    );
    expect(rows).toEqual([{ reason: 'PAID_TWICE' }]);
  });

  it('whose job was lost is applied from the database', async () => {
    const id = await bench.begin(player);
    await bench.send(success(id));
    await bench.system.db.query('DELETE FROM outbox');
    await later(3);
    await bench.system.app.get(ChecksService).run();
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
  });

  it('stored as unknown at the moment when its payment became known is taken up again', async () => {
    const id = await bench.begin(player);
    await bench.send(success(id, { ourId: null }));
    await bench.system.db.query("UPDATE provider_events SET outcome = 'unknown', applied_at = received_at");
    await bench.deliver();
    expect(await statusOf(id)).toBe('pending');
    await later(3);
    await bench.system.app.get(ChecksService).run();
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
  });

  it('may be of any size and kind that a provider sends, but not of any', async () => {
    const url = `${bench.system.url}/api/v1/payments/webhooks/scripted`;
    const post = async (body: string | Buffer, type: string) =>
      (await fetch(url, { method: 'POST', headers: { 'Content-Type': type }, body: body as string })).status;
    expect(await post('x'.repeat(600_000), 'text/plain')).toBe(413);
    const big = JSON.stringify({ ...success(await bench.begin(player)), padding: 'x'.repeat(300_000) });
    const headers = { 'Content-Type': 'application/x-anything', ...bench.bank.sign(big) };
    expect((await fetch(url, { method: 'POST', headers, body: big })).status).toBe(200);
    await bench.deliver();
    expect(await bench.available(player)).toBe(2500);
  });
});

describe('money that is not what was ordered', () => {
  it.each([
    ['less', { amount: 2499, currency: 'USD' }, 'AMOUNT_DIFFERS'],
    ['more', { amount: 2501, currency: 'USD' }, 'AMOUNT_DIFFERS'],
    ['in another currency', { amount: 2500, currency: 'EUR' }, 'CURRENCY_DIFFERS'],
  ])('%s, is set aside for an operator, who gives it back', async (_, paid, review) => {
    const id = await bench.begin(player);
    await bench.tell(id, { status: 'succeeded', paid });
    expect([await bench.available(player), await bench.available(player, 'EUR')]).toEqual([0, 0]);
    expect((await player.get(`payments/${id}`)).data).toMatchObject({ status: 'in_review', paid });
    expect(await bench.balance('escrow', `payment:${id}`, paid.currency)).toBe(paid.amount);
    expect(await bench.outcomes()).toEqual({ review: 1 });
    const admin = await bench.make.admin();
    expect((await admin.get(`admin/payments/${id}`)).data).toMatchObject({ review, userId: player.userId });
    const refund = await admin.post(
      `admin/payments/${id}/refund`,
      { reason: 'Not ours' },
      { key: randomUUID() },
    );
    expect([refund.status, refund.data.amount]).toEqual([202, paid]);
    await bench.deliver();
    expect(await statusOf(id)).toBe('refunded');
    expect(await bench.balance('escrow', `payment:${id}`, paid.currency)).toBe(0);
  });

  it('buys nothing', async () => {
    const before = bench.shop.paidFor.length;
    const id = await bench.begin(player, { purpose: 'week_pass', amount: undefined });
    await bench.tell(id, { status: 'succeeded', paid: { amount: 1, currency: 'USD' } });
    expect([await statusOf(id), bench.shop.paidFor.length]).toEqual(['in_review', before]);
  });

  it('and told by no amount is what was ordered, under our id', async () => {
    const id = await bench.begin(player);
    await bench.tell(id, { status: 'succeeded', paid: null });
    expect([await statusOf(id), await bench.available(player)]).toEqual(['succeeded', 2500]);
  });
});

describe('callbacks that prove nothing', () => {
  it('are kept some times for one payment, however many are sent; a signed one always is', async () => {
    const system = await startSystemWithRules(
      { 'rate-limits': { paymentCallbacks: { limit: 3, seconds: 3600 } } },
      { worker: false, at: START, env: { RATE_LIMIT_FACTOR: '1' } },
    );
    const flooded = await PaymentsBench.open(system);
    try {
      const [payer] = (await new Builders(system).players(1)) as [Client];
      const id = await flooded.begin(payer);
      const hint = () => ({
        ...flooded.bank.about(flooded.bank.payments.get(id)!),
        state: null,
        hint: true,
        noise: randomUUID(),
      });
      const answers = await Promise.all(Array.from({ length: 30 }, () => flooded.send(hint(), {})));
      expect(new Set(answers)).toEqual(new Set([200]));
      await flooded.deliver();
      expect(await flooded.outcomes()).toEqual({ stale: 3 });
      await flooded.tell(id, { status: 'succeeded' });
      expect(await flooded.available(payer)).toBe(2500);
    } finally {
      await flooded.close();
    }
  });
});
