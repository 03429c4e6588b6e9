import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { v7 } from 'uuid';
import { PaymentProviders } from '../../src/modules/payments/payment-providers.js';
import { ProviderEventsService } from '../../src/modules/payments/provider-events.service.js';
import {
  type Purchase,
  type PurchaseEffect,
  type PurchaseHandler,
  PurchasePort,
  type PurchasePurpose,
} from '../../src/modules/payments/purchase.port.js';
import { RefundsService } from '../../src/modules/payments/refunds.service.js';
import { SubscriptionsService } from '../../src/modules/payments/subscriptions.service.js';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { Builders } from './builders.js';
import type { Answer, Client } from './client.js';
import type { RuleChanges } from './config-dir.js';
import type { DocumentedApi } from './documented-api.js';
import { startSystemWithRules } from './rules-folder.js';
import { ScriptedBank } from './scripted-bank.js';
import { ScriptedProvider } from './scripted-provider.js';
import type { System } from './system.js';

export const START = '2023-10-03T12:00:00Z';

/** What is bought, where nobody sells yet: it keeps a note of what it was told, in the transaction that told it. */
class Shop implements PurchaseHandler {
  /** Why money goes back, when it does. */
  refuses: string | null = null;
  readonly paidFor: Purchase[] = [];
  readonly takenBack: Purchase[] = [];

  atCheckout(): Promise<string> {
    return Promise.resolve('202340');
  }

  paid(_: EntityManager, purchase: Purchase): Promise<PurchaseEffect> {
    this.paidFor.push(purchase);
    const { subject, currency } = purchase;
    return Promise.resolve(
      this.refuses === null
        ? { pays: { kind: 'escrow', owner: `entry_fees:${subject}`, currency } }
        : { refund: this.refuses },
    );
  }

  refunded(_: EntityManager, purchase: Purchase): Promise<void> {
    this.takenBack.push(purchase);
    return Promise.resolve();
  }
}

/** A system without a worker that pays through a scripted bank: the test delivers what waits in the outbox when it wants. */
export class PaymentsBench {
  readonly shop = new Shop();

  readonly make: Builders;

  private constructor(
    readonly system: System,
    readonly bank: ScriptedBank,
  ) {
    this.make = new Builders(system);
  }

  /** With a system of its own. */
  static async start(changes: RuleChanges = {}, env: Record<string, string> = {}): Promise<PaymentsBench> {
    return await PaymentsBench.open(await startSystemWithRules(changes, { worker: false, at: START, env }));
  }

  static async open(system: System): Promise<PaymentsBench> {
    const bench = new PaymentsBench(system, await new ScriptedBank().start());
    bench.bank.now = () => system.now();
    system.app.get(PaymentProviders, { strict: false }).register(new ScriptedProvider(bench.bank));
    const handlers: Map<PurchasePurpose, PurchaseHandler> = system.app.get(PurchasePort)['handlers'];
    for (const purpose of ['week_pass', 'subscription', 'buy_back'] as const)
      handlers.set(purpose, bench.shop);
    return bench;
  }

  /** Begins a payment; its id. */
  async begin(client: Client, body: object = {}): Promise<string> {
    const { status, data, error } = await this.checkout(client, body);
    if (status !== 201) throw new Error(`the checkout answered ${status} ${error.code}`);
    return data.paymentId;
  }

  async checkout(client: Client, body: object = {}, key: string = randomUUID()): Promise<Answer> {
    const deposit = { purpose: 'deposit', amount: 2500, currency: 'USD', provider: 'scripted' };
    return await client.post('payments/checkout', { ...deposit, ...body }, { key });
  }

  /** A payment that was paid and told of. */
  async paid(client: Client, body: object = {}): Promise<string> {
    const id = await this.begin(client, body);
    await this.tell(id, { status: 'succeeded' });
    return id;
  }

  /** Decides a payment at the bank, sends its webhook and delivers what follows. */
  async tell(id: string, change: Parameters<ScriptedBank['decide']>[1], over: object = {}): Promise<void> {
    const status = await this.send(this.bank.about(this.bank.decide(id, change), over));
    if (status !== 200) throw new Error(`the webhook was answered with ${status}`);
    await this.deliver();
  }

  async send(event: object, headers?: Record<string, string>): Promise<number> {
    return await this.bank.send(this.system.url, event, headers);
  }

  /** Delivers until nothing of payments waits any more. A job that fails stays, and fails the test. */
  async deliver(): Promise<void> {
    for (;;) {
      const { rows } = await this.system.db.query<{
        id: string;
        topic: string;
        payload: Record<string, string>;
      }>('SELECT id, topic, payload FROM outbox ORDER BY id');
      if (rows.length === 0) return;
      for (const { id, topic, payload } of rows) {
        await this.hand(topic, payload);
        await this.system.db.query('DELETE FROM outbox WHERE id = $1', [id]);
      }
    }
  }

  private async hand(topic: string, payload: Record<string, string>): Promise<void> {
    const { app } = this.system;
    if (topic === 'payments.provider-event-received')
      await app.get(ProviderEventsService).apply(payload['id']!);
    if (topic === 'payments.refund-requested') await app.get(RefundsService).perform(payload['refundId']!);
    if (topic === 'users.closing') await app.get(SubscriptionsService).leave(payload['userId']!);
    if (topic === 'payments.subscription-ending')
      await app.get(SubscriptionsService).tellEnding(payload['subscriptionId']!);
  }

  /** What became of stored events, by outcome. */
  async outcomes(): Promise<Record<string, number>> {
    const { rows } = await this.system.db.query<{ outcome: string; n: number }>(
      "SELECT coalesce(outcome, 'waiting') AS outcome, count(*)::int AS n FROM provider_events GROUP BY 1",
    );
    return Object.fromEntries(rows.map(({ outcome, n }) => [outcome, n]));
  }

  /** What a user may spend, in minor units. */
  async available(client: Client, currency = 'USD'): Promise<number> {
    return await this.balance('user_available', client.userId, currency);
  }

  async balance(kind: string, owner: string, currency = 'USD'): Promise<number> {
    const { rows } = await this.system.db.query(
      'SELECT coalesce(sum(balance), 0)::int AS n FROM ledger_accounts WHERE kind = $1 AND owner = $2 AND currency = $3',
      [kind, owner, currency],
    );
    return rows[0].n;
  }

  /** What does not hold: of the ledger by itself, and between it and the payments. Always nothing. */
  async problems(): Promise<unknown[]> {
    const { rules } = await this.system.app.get(VerifyService).verify(null);
    const { rows } = await this.system.db.query(`
      WITH booked AS (
        SELECT provider, paid_currency AS currency, sum(paid_amount - refunded) AS amount FROM payments
        WHERE paid_amount IS NOT NULL GROUP BY 1, 2),
      disputed AS (
        SELECT provider, currency, sum(amount * ((withdrawn_at IS NOT NULL)::int - (reinstated_at IS NOT NULL)::int)) AS amount
        FROM payment_disputes GROUP BY 1, 2),
      ledger AS (
        SELECT owner AS provider, currency, -sum(balance) AS amount FROM ledger_accounts WHERE kind = 'clearing' GROUP BY 1, 2)
      SELECT 'clearing' AS rule, provider, currency, l.amount, b.amount - coalesce(d.amount, 0) AS expected
      FROM ledger l FULL JOIN booked b USING (provider, currency) LEFT JOIN disputed d USING (provider, currency)
      WHERE coalesce(l.amount, 0) <> coalesce(b.amount, 0) - coalesce(d.amount, 0)
      UNION ALL
      -- What the house bears of disputes is what providers took, less what was taken or is owed.
      SELECT 'disputes', d.provider, d.currency, coalesce(a.balance, 0), d.charged - d.amount
      FROM (SELECT provider, currency,
                   sum(amount * ((withdrawn_at IS NOT NULL)::int - (reinstated_at IS NOT NULL)::int)) AS amount,
                   coalesce(sum(amount) FILTER (WHERE charge_id IS NOT NULL AND charge_returned_at IS NULL), 0) AS charged
            FROM payment_disputes GROUP BY 1, 2) d
      LEFT JOIN ledger_accounts a ON a.kind = 'disputes' AND a.owner = d.provider AND a.currency = d.currency
      WHERE coalesce(a.balance, 0) <> d.charged - d.amount
      UNION ALL
      SELECT 'debts', d.user_id::text, d.currency, coalesce(a.balance, 0), -d.owed
      FROM (SELECT p.user_id, d.currency, coalesce(sum(d.amount - d.charged) FILTER (WHERE d.charge_returned_at IS NULL), 0) AS owed
            FROM payment_disputes d JOIN payments p ON p.id = d.payment_id GROUP BY 1, 2) d
      LEFT JOIN ledger_accounts a ON a.kind = 'disputes' AND a.owner = d.user_id::text AND a.currency = d.currency
      WHERE coalesce(a.balance, 0) <> -d.owed
      UNION ALL
      -- What the bank has, or will, is charged to deposits; what it gave back is not.
      SELECT 'charges', d.id::text, d.currency, d.charged, d.amount
      FROM payment_disputes d JOIN payments p ON p.id = d.payment_id
      WHERE p.purpose = 'deposit' AND (d.charge_id IS NOT NULL AND d.charge_returned_at IS NULL) <>
            (d.reinstated_at IS NULL AND d.outcome IS DISTINCT FROM 'won' AND (d.withdrawn_at IS NOT NULL OR d.outcome = 'lost')
             IS TRUE)
      UNION ALL
      -- Money on its way back stands aside, and nothing else does.
      SELECT 'refunding', p.id::text, p.paid_currency, p.refunding, coalesce(sum(a.balance), 0)
      FROM payments p LEFT JOIN payment_refunds r ON r.payment_id = p.id
      LEFT JOIN ledger_accounts a ON a.kind = 'escrow' AND a.owner = 'refund:' || r.id
      GROUP BY p.id HAVING p.refunding <> coalesce(sum(a.balance), 0)
      UNION ALL
      SELECT 'refunds', p.id::text, p.paid_currency, p.refunding + p.refunded,
             coalesce(sum(r.amount) FILTER (WHERE r.status <> 'failed'), 0)
      FROM payments p LEFT JOIN payment_refunds r ON r.payment_id = p.id
      GROUP BY p.id HAVING p.refunding + p.refunded <> coalesce(sum(r.amount) FILTER (WHERE r.status <> 'failed'), 0)`);
    return [...rules.filter(({ problems }) => problems.length > 0), ...rows];
  }

  async close(): Promise<void> {
    await this.system.stop();
    await this.bank.stop();
  }
}

/** For a file of tests, each with a player of its own. After each all is delivered, and the books hold. */
export function paysByBank(
  changes: RuleChanges,
  begin: (paying: { bench: PaymentsBench; admin: Client; player: Client }) => void,
): void {
  let bench: PaymentsBench;
  let admin: Client;
  beforeAll(async () => {
    bench = await PaymentsBench.start(changes);
    admin = await bench.make.admin();
  });
  afterAll(async () => bench.close());
  beforeEach(async () => {
    await bench.system.moveTo(START);
    const [player] = (await bench.make.players(1)) as [Client];
    begin({ bench, admin, player });
  });
  afterEach(async () => {
    await bench.deliver();
    expect(await bench.problems()).toEqual([]);
  });
}

/** A deposit of 100,000 minor units in the wallet of a user, as if it had been paid through the sandbox. */
export async function depositOf(system: System, userId: string): Promise<string> {
  const id = v7();
  await system.db.query(
    `INSERT INTO payments (id, user_id, purpose, amount, currency, provider, provider_reference, status, paid_amount,
                           paid_currency, paid_to_kind, paid_to_owner, created_at, confirmed_at)
     VALUES ($1, $2, 'deposit', 100000, 'USD', 'sandbox', $4, 'succeeded', 100000, 'USD', 'user_available', $5, $3, $3)`,
    [id, userId, system.now(), `sbx_co_${id}`, userId],
  );
  await system.app.get(UnitOfWork).run(async (manager) =>
    system.app.get(LedgerService).post(manager, {
      reference: `payment:${id}`,
      type: 'deposit',
      legs: [
        { account: { kind: 'clearing', owner: 'sandbox', currency: 'USD' }, amount: -100_000n },
        { account: { kind: 'user_available', owner: userId, currency: 'USD' }, amount: 100_000n },
      ],
    }),
  );
  return id;
}

/** Open differences from the sandbox's books. */
export async function differences(system: System, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => v7());
  await system.db.query(
    `INSERT INTO payment_differences (id, provider, reference, kind, theirs, currency, found_at)
     SELECT id, 'sandbox', id::text, 'unknown_here', 100, 'USD', $2 FROM unnest($1::uuid[]) AS d (id)`,
    [ids, system.now()],
  );
  return ids;
}

/** Calls every operation of payments that clients have. */
export async function callPayments(
  system: System,
  call: DocumentedApi['call'],
  player: Client,
  admin: Client,
): Promise<void> {
  const body = { amount: 2500, currency: 'USD', provider: 'sandbox' };
  const { paymentId: id } = await call('Payments_checkout', player, {}, { ...body, purpose: 'deposit' });
  await call('Deposits_deposit', player, {}, body);
  await call('Payments_list', player);
  await call('Payments_get', player, { id });
  await system.db.query(
    `INSERT INTO subscriptions (id, user_id, provider, provider_reference, amount, currency, status, period_end, created_at)
     VALUES ($1, $2, 'sandbox', $3, 3500, 'USD', 'active', $4, $4)`,
    [v7(), player.userId, randomUUID(), system.now()],
  );
  await call('Payments_subscription', player);
  await call('Payments_cancel', player);
  const paid = { id: await depositOf(system, player.userId) };
  await call('PaymentsAdmin_refund', admin, paid, { amount: 100, reason: 'Asked for it' });
  await call('PaymentsAdmin_get', admin, paid);
  const [difference] = await differences(system, 1);
  await call('PaymentsAdmin_listDifferences', admin);
  await call('PaymentsAdmin_resolve', admin, { id: difference! }, { note: 'Booked by hand' });
}
