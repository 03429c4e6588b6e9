import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ProviderEventsService } from '../../src/modules/payments/provider-events.service.js';
import type { Client } from '../support/client.js';
import { PaymentsBench } from '../support/payments.js';

const STATES = ['pending', 'failed', 'expired', 'cancelled', 'succeeded'] as const;
const DISPUTES = ['opened', 'funds_withdrawn', 'funds_reinstated', 'won'] as const;
const AMOUNT = 2500;

/** What may happen to a payment, in any order. */
type Word =
  | { readonly what: 'state'; readonly status: (typeof STATES)[number]; readonly times: number }
  | { readonly what: 'dispute'; readonly kind: (typeof DISPUTES)[number]; readonly times: number }
  | { readonly what: 'refund'; readonly amount: number };

const times = fc.integer({ min: 1, max: 3 });
const word: fc.Arbitrary<Word> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant('state' as const), status: fc.constantFrom(...STATES), times }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('dispute' as const),
      kind: fc.constantFrom(...DISPUTES),
      times,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('refund' as const),
      amount: fc.integer({ min: 1, max: AMOUNT }),
    }),
  },
);

describe('whatever a provider says of a payment, in any order, twice and at once', () => {
  let bench: PaymentsBench;
  let admin: Client;

  beforeAll(async () => {
    bench = await PaymentsBench.start();
    admin = await bench.make.admin();
  });
  afterAll(async () => bench.close());

  /** Applies what is stored as several workers do that were given the same jobs. */
  async function applyAtOnce(): Promise<void> {
    const events = bench.system.app.get(ProviderEventsService);
    const { rows } = await bench.system.db.query<{ id: string }>(
      'SELECT id FROM provider_events WHERE applied_at IS NULL',
    );
    await Promise.all([...rows, ...rows].map(({ id }) => events.apply(id)));
  }

  async function say(id: string, spoken: Word, paid: { amount: number; currency: string }): Promise<void> {
    if (spoken.what === 'refund') {
      const body = { amount: spoken.amount, reason: 'Any' };
      await admin.post(`admin/payments/${id}/refund`, body, { key: randomUUID() });
      return;
    }
    const payment = bench.bank.payments.get(id)!;
    const event =
      spoken.what === 'state'
        ? bench.bank.about(payment, {
            state: { ...payment, status: spoken.status, paid: spoken.status === 'succeeded' ? paid : null },
          })
        : {
            id: randomUUID(),
            type: spoken.kind,
            about: 'dispute',
            reference: payment.reference,
            change: { kind: spoken.kind, disputeReference: `dispute_${id}`, disputed: paid },
          };
    await Promise.all(Array.from({ length: spoken.times }, () => bench.send(event)));
  }

  it('books its money once, loses none and gives back no more than came', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 10 }),
        fc.boolean(),
        async (words, asOrdered) => {
          const [player] = (await bench.make.players(1)) as [Client];
          const id = await bench.begin(player);
          const paid = { amount: asOrdered ? AMOUNT : AMOUNT - 1, currency: 'USD' };
          const groups = words.map((_, index) => words.slice(index * 3, index * 3 + 3));
          for (const group of groups.filter(({ length }) => length > 0)) {
            await Promise.all(group.map((spoken) => say(id, spoken, paid)));
            await applyAtOnce();
          }
          await bench.deliver();

          const { data } = await admin.get(`admin/payments/${id}`);
          const came = words.some((spoken) => spoken.what === 'state' && spoken.status === 'succeeded');
          const refunded = data.refunded?.amount ?? 0;
          expect(data.paid).toEqual(came ? paid : null);
          const told = (kind: string) =>
            words.some((spoken) => spoken.what === 'dispute' && spoken.kind === kind);
          // What the bank has taken was taken from there; what was not there any more is owed.
          const isTaken = came && told('funds_withdrawn') && !told('funds_reinstated') && !told('won');
          const owed = 0 - (await bench.balance('disputes', player.userId));
          expect(owed).toBe(isTaken ? refunded : 0);
          const left = !came || isTaken ? 0 : paid.amount - refunded;
          expect(await bench.available(player)).toBe(asOrdered ? left : 0);
          expect(await bench.balance('escrow', `payment:${id}`)).toBe(asOrdered ? 0 : left);
          expect(data.refunds.every(({ status }: { status: string }) => status === 'succeeded')).toBe(true);
          expect(await bench.problems()).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  }, 180_000);
});
