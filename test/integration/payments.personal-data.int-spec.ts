import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProviderEventsRepository } from '../../src/modules/payments/provider-events.repository.js';
import { PaymentsUpkeep } from '../../src/modules/payments/payments-upkeep.service.js';
import { Database } from '../../src/platform/database/database.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { PersonalDataService } from '../../src/platform/privacy/personal-data.service.js';
import type { Client } from '../support/client.js';
import { PaymentsBench } from '../support/payments.js';

const NAME = 'Ada Lovelace, Saint James Square';

describe('what payments hold about people', () => {
  let bench: PaymentsBench;
  let one: Client;
  let other: Client;

  beforeAll(async () => {
    bench = await PaymentsBench.start();
    [one, other] = (await bench.make.players(2)) as [Client, Client];
    // Providers write payers' names into what they send.
    for (const client of [one, other]) {
      const id = await bench.begin(client);
      await bench.tell(id, { status: 'succeeded' }, { billing: NAME });
    }
  });
  afterAll(async () => bench.close());

  const personalData = () => bench.system.app.get(PersonalDataService);

  async function exported({ userId }: Client): Promise<Record<string, unknown[]>> {
    return await bench.system.app.get(Database).readSnapshot(async (snapshot) => {
      const files: Record<string, unknown[]> = {};
      for (const { file, rows } of personalData().sections(snapshot, userId))
        if (/^payment|^subscription/.test(file)) for await (const row of rows) (files[file] ??= []).push(row);
      return files;
    });
  }

  async function named(): Promise<number> {
    const { rows } = await bench.system.db.query(
      'SELECT count(*)::int AS n FROM provider_events WHERE position($1 IN encode(raw_body, $2)) > 0',
      [NAME, 'escape'],
    );
    return rows[0].n;
  }

  it('is told to them, and of nobody else', async () => {
    const files = await exported(one);
    expect(files['payments']).toMatchObject([{ purpose: 'deposit', amount: 2500, status: 'succeeded' }]);
    expect(files['payment-events']).toMatchObject([{ body: expect.stringContaining(NAME) }]);
    expect(files['payment-events']).toHaveLength(1);
  });

  it('waits with erasing while money is on its way', async () => {
    const matters = async () =>
      await bench.system.app
        .get(UnitOfWork)
        .run(async (manager) => personalData().openMatters(manager, one.userId));
    expect(await matters()).not.toContain('open_payments');
    const id = await bench.begin(one);
    expect(await matters()).toContain('open_payments');
    await bench.tell(id, { status: 'cancelled' });
    expect(await matters()).not.toContain('open_payments');
    const odd = await bench.begin(other);
    const mattersOfOther = async () =>
      await bench.system.app
        .get(UnitOfWork)
        .run(async (manager) => personalData().openMatters(manager, other.userId));
    await bench.tell(odd, { status: 'succeeded', paid: { amount: 2499, currency: 'USD' } }); // stands aside
    expect(await mattersOfOther()).toContain('open_payments');
    const setTo = (status: string) =>
      bench.system.db.query('UPDATE payments SET status = $2 WHERE id = $1', [odd, status]);
    for (const [status, waits] of [
      ['disputed', true],
      ['charged_back', false],
      ['succeeded', false],
    ] as const) {
      await setTo(status);
      expect([status, (await mattersOfOther()).includes('open_payments')]).toEqual([status, waits]);
    }
    await setTo('in_review');
  });

  it('is found again by what the provider tells of refunds, and not kept of what is about no payment', async () => {
    bench.shop.refuses = 'CLOSED';
    await bench.paid(one, { purpose: 'week_pass', amount: undefined });
    bench.shop.refuses = null;
    const refund = [...bench.bank.refunds.values()].at(-1)!;
    await bench.send({
      id: 'ev_refund',
      type: 'refund.succeeded',
      about: 'refund',
      reference: refund.reference,
      ourId: refund.id,
      state: { ...refund, paid: null, failureCode: null },
      billing: NAME,
    });
    const id = await bench.begin(one, { purpose: 'subscription', amount: undefined });
    await bench.tell(id, { status: 'succeeded', periodEnd: '2023-11-03T12:00:00.000Z' });
    await bench.send({
      id: 'ev_ended',
      type: 'subscription.cancelled',
      about: 'subscription',
      reference: null,
      change: { kind: 'cancelled', subscriptionReference: `sub_${id}`, paid: null, periodEnd: null },
      billing: NAME,
    });
    await bench.deliver();
    const { rows } = await bench.system.db.query(
      `SELECT event_id, outcome, payment_id IS NOT NULL AS found, raw_body IS NOT NULL AS kept FROM provider_events
       WHERE event_id IN ('ev_refund', 'ev_ended') ORDER BY event_id`,
    );
    expect(rows).toEqual([
      { event_id: 'ev_ended', outcome: 'applied', found: false, kept: false },
      { event_id: 'ev_refund', outcome: 'stale', found: true, kept: true },
    ]);
  });

  it('is erased with them but for the books', async () => {
    expect(await named()).toBe(3);
    await bench.system.app.get(UnitOfWork).run(async (manager) => personalData().erase(manager, one.userId));
    expect(await named()).toBe(1);
    expect((await exported(one))['payments']).toMatchObject([
      { amount: 2500 },
      { status: 'cancelled' },
      { purpose: 'week_pass' },
      { purpose: 'subscription' },
    ]);
    expect(await bench.problems()).toEqual([]);
  });

  it('is forgotten as a body after some months, and stays as an event', async () => {
    const [forget] = bench.system.app.get(PaymentsUpkeep).forgets;
    expect(await forget!(100)).toBe(0);
    await bench.system.moveTo('2024-01-02T12:00:00Z');
    expect(await forget!(100)).toBeGreaterThan(0);
    expect([await named(), await forget!(100)]).toEqual([0, 0]);
    const events = bench.system.app.get(ProviderEventsRepository);
    const { rows } = await bench.system.db.query<{ id: string }>(
      "SELECT id FROM provider_events WHERE about = 'payment' LIMIT 1",
    );
    expect((await events.find(rows[0]!.id))?.content.about).toBe('payment');
  });
});
