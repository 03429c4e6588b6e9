import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MONEY_STATES, moneyStateOf, paymentMachine, refundable } from './payment-machine.js';

describe('a payment', () => {
  it.each(['created', 'pending', 'failed', 'expired', 'cancelled'] as const)(
    'takes money while it is %s',
    (state) => {
      expect(paymentMachine.next(state, 'succeed')).toBe('succeeded');
      expect(paymentMachine.next(state, 'set_aside')).toBe('in_review');
    },
  );

  it.each(MONEY_STATES)('that is %s never takes money again, nor fails', (state) => {
    for (const event of ['open', 'succeed', 'set_aside', 'fail', 'expire', 'cancel'] as const)
      expect(paymentMachine.next(state, event)).toBeNull();
  });

  it('is opened once', () => {
    expect(paymentMachine.from('open')).toEqual(['created']);
  });

  it('ends for good only by a lost dispute', () => {
    expect(paymentMachine.terminal).toEqual(['charged_back']);
  });

  it.each([
    [{ paid: 10n, refunding: 0n, refunded: 0n, inReview: false, dispute: null }, 'succeeded', 10n],
    [{ paid: 10n, refunding: 0n, refunded: 0n, inReview: true, dispute: null }, 'in_review', 10n],
    [{ paid: 10n, refunding: 4n, refunded: 0n, inReview: false, dispute: null }, 'refunding', 6n],
    [{ paid: 10n, refunding: 4n, refunded: 6n, inReview: true, dispute: null }, 'refunding', 0n],
    [{ paid: 10n, refunding: 0n, refunded: 4n, inReview: false, dispute: null }, 'partially_refunded', 6n],
    [{ paid: 10n, refunding: 0n, refunded: 10n, inReview: true, dispute: null }, 'refunded', 0n],
    [{ paid: 10n, refunding: 4n, refunded: 0n, inReview: false, dispute: 'open' }, 'disputed', 0n],
    [{ paid: 10n, refunding: 0n, refunded: 10n, inReview: false, dispute: 'lost' }, 'charged_back', 0n],
  ] as const)('of which %p is known is %s', (facts, state, left) => {
    expect([moneyStateOf(facts), refundable(facts)]).toEqual([state, left]);
  });

  it('may go from the state of any facts to that of those after a refund is asked for, ends, or is disputed', () => {
    const facts = fc.record({
      paid: fc.bigInt(1n, 50n),
      refunding: fc.bigInt(0n, 50n),
      refunded: fc.bigInt(0n, 50n),
      inReview: fc.boolean(),
      dispute: fc.constantFrom('open', null),
    });
    fc.assert(
      fc.property(facts, fc.bigInt(1n, 50n), (given, part) => {
        fc.pre(given.refunding + given.refunded <= given.paid);
        const { refunding, refunded } = given;
        const nexts = [
          ...(refundable(given) >= part ? [{ ...given, refunding: refunding + part }] : []),
          ...(refunding >= part
            ? [
                { ...given, refunding: refunding - part },
                { ...given, refunding: refunding - part, refunded: refunded + part },
              ]
            : []),
          ...(['open', 'lost', null] as const)
            .filter((dispute) => dispute !== null || given.dispute === 'open')
            .map((dispute) => ({ ...given, dispute })),
        ];
        for (const next of nexts) {
          const [from, to] = [moneyStateOf(given), moneyStateOf(next)];
          expect([from, to, from === to || paymentMachine.next(from, `become_${to}`) === to]).toEqual([
            from,
            to,
            true,
          ]);
        }
      }),
    );
  });
});
