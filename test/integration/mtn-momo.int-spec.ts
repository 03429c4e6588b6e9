import { beforeEach, describe, expect, it } from '@jest/globals';
import { PaymentProviders } from '../../src/modules/payments/payment-providers.js';
import { MtnMomoModule } from '../../src/modules/payments/providers/mtn-momo/mtn-momo.module.js';
import type { MtnMomoProvider } from '../../src/modules/payments/providers/mtn-momo/mtn-momo.provider.js';
import { referenceIdOf } from '../../src/modules/payments/providers/mtn-momo/reference-id.js';
import type { Mood } from '../support/mobile-money-server.js';
import { becameOf, configWith, refusalOf, talksTo } from '../support/mobile-money.js';
import { NUMBERS, order, payout, PHONE, providerOf, UGANDAN } from '../support/momo-payments.js';
import { MomoServer, momoFacts } from '../support/momo-server.js';

const UNAVAILABLE = 'PROVIDER_UNAVAILABLE';
const UNKNOWN = { refused: UNAVAILABLE };

describe('MTN MoMo', () => {
  const momo = new MomoServer();
  const uganda = new MomoServer('mtnuganda', 'UGX');
  let provider: MtnMomoProvider;

  talksTo([momo, uganda], NUMBERS);
  beforeEach(() => {
    provider = providerOf(momo);
  });

  describe('a checkout', () => {
    it('asks the payer’s telephone, and is paid once they confirm', async () => {
      const asked = order();
      const checkout = await provider.createCheckout(asked);
      expect(checkout).toEqual({
        providerReference: referenceIdOf(asked.paymentId),
        status: 'pending',
        paid: null,
        failureCode: null,
        redirectUrl: null,
      });
      expect(momo.problems).toEqual([]);
      expect(momo.only).toMatchObject({
        kind: 'requesttopay',
        referenceId: checkout.providerReference,
        callbackUrl: 'https://api.example.com/api/v1/payments/webhooks/mtn-momo',
        body: {
          amount: '12.50',
          currency: 'EUR',
          externalId: `payment-${asked.paymentId}`,
          payer: { partyIdType: 'MSISDN', partyId: '46733120000' },
          payerMessage: 'Ada s deposit 1st',
          payeeNote: 'Ada s deposit 1st',
        },
      });
      expect(await provider.fetchState({ paymentId: asked.paymentId })).toEqual({
        providerReference: checkout.providerReference,
        status: 'succeeded',
        paid: { amount: 1250n, currency: 'EUR' },
        failureCode: null,
      });
    });

    it('is asked in whole units where the currency has no smaller one', async () => {
      const asked = order({ payerPhone: UGANDAN, currency: 'UGX', amount: 900n });
      await providerOf(uganda).createCheckout(asked);
      expect(uganda.only.body).toMatchObject({ amount: '900', currency: 'UGX' });
      const { paymentId } = asked;
      expect((await providerOf(uganda).fetchState({ paymentId }))?.paid).toEqual({
        amount: 900n,
        currency: 'UGX',
      });
    });

    it('asked by 100 at once under one id is asked of the payer once', async () => {
      const asked = order();
      const checkouts = await Promise.all(Array.from({ length: 100 }, () => provider.createCheckout(asked)));
      expect(new Set(checkouts.map(({ providerReference }) => providerReference)).size).toBe(1);
      expect(checkouts.every(({ status }) => ['pending', 'succeeded'].includes(status))).toBe(true);
      expect(momo.transactions.size).toBe(1);
    });

    it('asked again tells what became of the first', async () => {
      const asked = order({ payerPhone: '+46733123451' });
      await provider.createCheckout(asked);
      expect(await provider.createCheckout(asked)).toMatchObject({
        status: 'failed',
        failureCode: 'declined',
      });
      expect(momo.transactions.size).toBe(1);
    });

    it('needs a number, and a currency of the market', async () => {
      for (const payerPhone of [null, '0772123456', '46733120000', ''])
        expect((await refusalOf(provider.createCheckout(order({ payerPhone })))).code).toBe('PHONE_REQUIRED');
      const { code } = await refusalOf(provider.createCheckout(order({ currency: 'UGX' })));
      expect(code).toBe('CURRENCY_NOT_TAKEN');
      expect([momo.transactions.size, momo.problems]).toEqual([0, []]);
    });

    it('names no callback that MTN would not call', async () => {
      await providerOf(momo, { PUBLIC_URL: 'http://127.0.0.1:3000' }).createCheckout(order());
      expect(momo.only.callbackUrl).toBeNull();
    });
  });

  describe('the sandbox’s numbers', () => {
    const OUTCOMES: Record<string, object[]> = {
      FAILED: [{ status: 'failed', failureCode: 'provider_error' }],
      REJECTED: [{ status: 'failed', failureCode: 'declined' }],
      TIMEOUT: [{ status: 'expired', failureCode: 'timed_out' }],
      PENDING: [{ status: 'pending' }, { status: 'pending' }],
      ONGOING: [{ status: 'pending' }, { status: 'succeeded', paid: { amount: 1250n, currency: 'EUR' } }],
      SUCCESSFUL: [{ status: 'succeeded', paid: { amount: 1250n, currency: 'EUR' } }],
    };
    const numbers = Object.entries(momoFacts.sandbox.msisdn_outcomes).map(
      ([number, outcome]) => [number === '*' ? '46733120000' : number, outcome.split(' ')[0] ?? ''] as const,
    );

    it('are all known here', () => {
      expect(numbers.map(([, outcome]) => outcome).toSorted()).toEqual(Object.keys(OUTCOMES).toSorted());
    });

    it.each(numbers)('%s ends as %s, however MTN writes the reason', async (number, outcome) => {
      for (const reasonAs of ['text', 'object'] as const) {
        momo.reset();
        momo.reasonAs = reasonAs;
        const asked = order({ payerPhone: `+${number}` });
        expect((await provider.createCheckout(asked)).status).toBe('pending');
        for (const state of OUTCOMES[outcome]!) {
          expect(await provider.fetchState({ paymentId: asked.paymentId })).toMatchObject(state);
          momo.advance(30);
        }
      }
    });
  });

  describe('the errors of MTN’s documentation', () => {
    const failed = (failureCode: string) => ({ status: 'failed', failureCode });
    // By scope, status and code: what a checkout becomes, and what a pay-out becomes.
    const ANSWERS: Record<string, [collection: object, disbursement: object]> = {
      'generic 409 null': [{ status: 'pending' }, { status: 'pending' }],
      'generic 404 null': [failed('provider_refused'), failed('provider_refused')],
      'generic 400 null': [failed('provider_refused'), failed('provider_refused')],
      'generic 401 null': [UNKNOWN, UNKNOWN],
      'generic 500 NOT_ALLOWED': [failed('provider_refused'), failed('provider_refused')],
      'generic 500 NOT_ALLOWED_TARGET_ENVIRONMENT': [failed('provider_refused'), failed('provider_refused')],
      'generic 500 INVALID_CALLBACK_URL_HOST': [failed('provider_refused'), failed('provider_refused')],
      'generic 500 INVALID_CURRENCY': [failed('provider_refused'), failed('provider_refused')],
      'generic 500 INTERNAL_PROCESSING_ERROR': [UNKNOWN, UNKNOWN],
      'generic 503 SERVICE_UNAVAILABLE': [UNKNOWN, UNKNOWN],
      'preapproval 500 PAYER_NOT_FOUND': [failed('account_not_found'), failed('provider_refused')],
      'requesttopay 500 PAYER_NOT_FOUND': [failed('account_not_found'), failed('provider_refused')],
      'requesttopay 500 PAYEE_NOT_ALLOWED_TO_RECEIVE': [
        failed('provider_refused'),
        failed('account_not_allowed'),
      ],
      'transfer 500 NOT_ENOUGH_FUNDS': [failed('insufficient_funds'), failed('provider_balance_too_low')],
      'transfer 500 PAYER_LIMIT_REACHED': [failed('limit_reached'), failed('provider_refused')],
      'transfer 500 PAYEE_NOT_FOUND': [failed('provider_refused'), failed('account_not_found')],
      'validate-account-holder 404 null': [failed('provider_refused'), failed('provider_refused')],
    };
    const named = momoFacts.errors.map(
      (error) => [`${error.scope} ${error.http} ${error.code}`, error] as const,
    );

    it('are all known here', () => {
      expect(named.map(([name]) => name)).toEqual(Object.keys(ANSWERS));
    });

    it.each(named)('%s', async (name, { http, code }) => {
      const mood: Mood = code === null ? { status: http } : { status: http, body: { code, message: PHONE } };
      const [collection, disbursement] = ANSWERS[name]!;
      for (const [expected, ask] of [
        [collection, () => provider.createCheckout(order())],
        [disbursement, () => provider.payOut(payout())],
      ] as const) {
        // Under a refused token it is tried once more, so that 401 has to be said twice.
        momo.moods = http === 401 ? [mood, mood] : [mood];
        expect(await becameOf(ask())).toMatchObject(expected);
        expect(momo.moods).toEqual([]);
      }
    });

    it.each(named.filter(([, { code }]) => code !== null))(
      '%s as the reason of a transaction that failed',
      async (name, { code }) => {
        const asked = order();
        await provider.createCheckout(asked);
        Object.assign(momo.only, { status: 'FAILED', reason: code });
        const state = await provider.fetchState({ paymentId: asked.paymentId });
        // What says nothing of a request that was made settles one that MTN calls failed.
        const [expected] = ANSWERS[name]!;
        expect(state).toMatchObject(expected === UNKNOWN ? failed('provider_error') : expected);
        expect(state?.paid).toBeNull();
      },
    );
  });

  describe('tokens', () => {
    it('are asked for once, for however many', async () => {
      const before = momo.tokensIssued;
      await Promise.all(Array.from({ length: 50 }, () => provider.createCheckout(order())));
      expect([momo.transactions.size, momo.tokensIssued - before]).toEqual([50, 1]);
    });

    it('that are refused are replaced once, for however many', async () => {
      await provider.createCheckout(order());
      const before = momo.tokensIssued;
      momo.revokeTokens();
      await Promise.all(Array.from({ length: 50 }, () => provider.createCheckout(order())));
      expect([momo.transactions.size, momo.tokensIssued - before]).toEqual([51, 1]);
    });

    it('are replaced before they end', async () => {
      momo.tokenSeconds = 0.05;
      try {
        await provider.createCheckout(order());
        await new Promise((resolve) => void setTimeout(resolve, 60));
        await provider.createCheckout(order());
      } finally {
        momo.tokenSeconds = 3600;
      }
      expect(momo.problems).toEqual([]);
    });

    it('that are not to be had leave everything undone, and the next call asks again', async () => {
      momo.tokenMoods = [
        { status: 503 },
        'break',
        { status: 200, body: { access_token: 'x' } },
        { status: 401 },
      ];
      while (momo.tokenMoods.length > 0)
        expect((await refusalOf(provider.createCheckout(order()))).code).toBe(UNAVAILABLE);
      expect(momo.transactions.size).toBe(0);
      expect((await provider.createCheckout(order())).status).toBe('pending');
    });
  });

  it('is not made without both of its products', () => {
    const others = Object.keys(momo.env)
      .filter((name) => /_(USER|KEY|SUBSCRIPTION)$/.test(name))
      .slice(1);
    expect(others).toHaveLength(5);
    for (const name of others)
      expect(() => providerOf(momo, { [name]: '' })).toThrow(
        `${name}: required with MTN_MOMO_COLLECTION_USER`,
      );
    expect(() => providerOf(momo, { MTN_MOMO_COLLECTION_USER: '' })).toThrow('needs the credentials of both');
  });

  it('is a provider where it is configured, and none where it is not', () => {
    const namesWith = (env: Record<string, string>): readonly string[] => {
      const providers = new PaymentProviders();
      new MtnMomoModule(configWith(env), providers).onModuleInit();
      return providers.names;
    };
    expect([namesWith(momo.env), namesWith({})]).toEqual([['mtn-momo'], []]);
  });

  it('takes the currency of its market', () => {
    expect([provider.currencies, providerOf(uganda).currencies]).toEqual([['EUR'], ['UGX']]);
  });
});
