import type { EntityManager } from 'typeorm';
import { v7 } from 'uuid';
import { CheckoutsRepository } from '../../src/modules/payments/checkouts.repository.js';
import { PaymentsRepository } from '../../src/modules/payments/payments.repository.js';
import { ProviderEventsRepository } from '../../src/modules/payments/provider-events.repository.js';
import { ReconciliationRepository } from '../../src/modules/payments/reconciliation.repository.js';
import { RefundsRepository } from '../../src/modules/payments/refunds.repository.js';
import { SubscriptionsRepository } from '../../src/modules/payments/subscriptions.repository.js';
import { WithdrawalsRepository } from '../../src/modules/payments/withdrawals/withdrawals.repository.js';
import { LedgerRepository } from '../../src/modules/wallet/ledger.repository.js';
import { FIRST, LAST, WalletRepository } from '../../src/modules/wallet/wallet.repository.js';
import type { Database } from '../../src/platform/database/database.js';
import { RARE_TYPE } from './seed-money.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Stands where repositories expect their database. */
export interface Explaining {
  readonly query: (first: string, second: unknown, third?: unknown[]) => Promise<unknown[]>;
}

/** What payments and the wallet ask per request, per webhook and in each round of their sweepers. */
export async function explainMoney(
  statements: Explaining,
  who: { userId: string; big: string; paymentId: string },
): Promise<void> {
  const database = statements as unknown as Database;
  const manager = statements as unknown as EntityManager;
  const { userId, big, paymentId } = who;
  const now = new Date();
  const before = (ms: number) => new Date(now.getTime() - ms);
  const payment = { id: paymentId, provider: 'stripe' } as never;

  const checkouts = new CheckoutsRepository(database);
  const payments = new PaymentsRepository(database);
  const events = new ProviderEventsRepository(database);
  const reconciliation = new ReconciliationRepository(database);
  const refunds = new RefundsRepository(database);
  const subscriptions = new SubscriptionsRepository(database);
  const withdrawals = new WithdrawalsRepository(database);
  const wallet = new WalletRepository(database);
  const ledger = new LedgerRepository(database);

  const asked: (() => Promise<unknown>)[] = [
    () => checkouts.velocityOf(manager, userId, { failed: before(DAY_MS), begun: before(DAY_MS) }, 5),
    () => checkouts.claimOpening(paymentId, now, now),
    () => payments.find(paymentId),
    () => payments.lock(manager, paymentId),
    () => payments.findByReference('stripe', 'ref4711'),
    () => payments.addReferences(manager, payment, ['ref4711']),
    () => payments.isKnownAs(manager, payment, ['ref4711', 'ref4712']),
    () => payments.end(manager, paymentId, 'expire', { failureCode: null, now }),
    () => payments.ofUser(userId, { before: null, limit: 21, status: null, purpose: null }),
    () => payments.ofUser(userId, { before: v7(), limit: 21, status: 'disputed', purpose: null }),
    () => payments.pendingDeposits([userId]),
    () => payments.claimChecks(now, now, 50),
    () => payments.checkAgain(paymentId, now),
    () => events.find(paymentId),
    () => events.lockUnapplied(manager, paymentId),
    () => events.finish(manager, paymentId, { outcome: 'applied', paymentId, now }),
    () => events.wakeUnknown(manager, paymentId),
    () => events.wakeKnown(50),
    () => events.waitingSince(before(2 * MINUTE_MS), 50),
    () => events.forgetBodies(before(4 * DAY_MS), 1000),
    () =>
      reconciliation.matching(
        'stripe',
        Array.from({ length: 100 }, (_, n) => ({ paymentId: v7(), reference: `ref${n}` })),
      ),
    () =>
      reconciliation.booked('stripe', {
        from: before(DAY_MS),
        to: now,
        after: { at: before(DAY_MS / 2), id: v7() },
        limit: 500,
      }),
    () => reconciliation.agree('stripe', ['ref4711', 'ref4712'], now),
    () => reconciliation.list({ open: true, before: null, limit: 21 }),
    () => reconciliation.figures(now),
    () => refunds.find(paymentId),
    () => refunds.ofPayment(paymentId),
    () => refunds.findByReference('stripe', 're4700'),
    () => refunds.claimChecks(now, now, 50),
    () => refunds.disputesOf(manager, paymentId),
    () => subscriptions.findOfUser(userId),
    () => subscriptions.hasLive(manager, userId),
    () => subscriptions.lockByReference(manager, 'stripe', 'sub4720'),
    () => subscriptions.endOverdue(now),
    () => withdrawals.figuresOf(manager, userId, 'USD', before(30 * DAY_MS)),
    () => withdrawals.lock(manager, paymentId),
    () => withdrawals.findPayout('stripe', paymentId, 'po4711'),
    () => withdrawals.listOf(userId, null, 21),
    () => withdrawals.listByStatus('requested', null, 21),
    () => withdrawals.listByStatus('paid', v7(), 21),
    () => ledger.balancesOf(userId),
    () => ledger.lockBalances(manager, 'user_available', [userId, big]),
    () => ledger.balanceAt({ kind: 'user_available', owner: big, currency: 'USD' }, before(DAY_MS)),
    () => wallet.holds(userId, { status: 'held', before: null, limit: 21 }),
  ];
  const any = { type: null, currency: null, from: null, to: null };
  const rare = { ...any, type: RARE_TYPE };
  asked.push(
    () => wallet.newestEntries(big, any, { before: LAST, limit: 21 }),
    () => wallet.newestEntries(big, rare, { before: LAST, limit: 21 }),
    () => wallet.oldestEntries(big, any, { after: FIRST, before: LAST, limit: 1000 }),
    () => wallet.oldestEntries(big, rare, { after: FIRST, before: LAST, limit: 1000 }),
  );
  for (const ask of asked)
    await ask().catch((error: unknown) => {
      // What makes something of the rows finds none: it was answered a plan.
      if (!(error instanceof TypeError)) throw error;
    });
}
