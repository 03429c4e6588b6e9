import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PaymentProviders } from '../../src/modules/payments/payment-providers.js';
import { MtnMomoModule } from '../../src/modules/payments/providers/mtn-momo/mtn-momo.module.js';
import { MtnMomoProvider } from '../../src/modules/payments/providers/mtn-momo/mtn-momo.provider.js';
import { referenceIdOf } from '../../src/modules/payments/providers/mtn-momo/reference-id.js';
import { newId } from '../../src/platform/database/ids.js';
import { aCheckout, aPayout, becameOf, configWith, logged, refusalOf } from '../support/mobile-money.js';
import type { Mood } from '../support/mobile-money-server.js';
import { MomoServer, momoFacts } from '../support/momo-server.js';
import { plantMistake, type Sent } from '../support/planted-mistakes.js';

const PHONE = '+46733120000';
const UGANDAN = '+256772123456';
const COLLECT = '/collection/v1_0/requesttopay';
const UNAVAILABLE = 'PROVIDER_UNAVAILABLE';
const UNKNOWN = { refused: UNAVAILABLE };

describe('MTN MoMo', () => {
  let momo: MomoServer;
  let uganda: MomoServer;
  let provider: MtnMomoProvider;
  let log: string[];

  beforeAll(async () => {
    momo = await new MomoServer().start();
    uganda = await new MomoServer('mtnuganda', 'UGX').start();
  });
  afterAll(async () => {
    await momo.stop();
    await uganda.stop();
  });
  beforeEach(() => {
    momo.reset();
    uganda.reset();
    provider = providerOf(momo);
    log = logged();
  });
  afterEach(() => {
    jest.restoreAllMocks();
    // Whatever a test does, nobody's number is logged.
    expect(log.join('\n')).not.toMatch(/4673312|25677/);
  });

  function providerOf(server: MomoServer, over: Record<string, string> = {}): MtnMomoProvider {
    return new MtnMomoProvider(configWith({ ...server.env, ...over }));
  }
  const order = (over: Partial<Parameters<typeof aCheckout>[0]> = {}) =>
    aCheckout({ payerPhone: PHONE, currency: 'EUR', ...over });
  const payout = (over: Partial<Parameters<typeof aPayout>[0]> = {}) =>
    aPayout({ destination: PHONE, currency: 'EUR', ...over });

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

  describe('an outcome that is not known', () => {
    const BROKEN: [string, Mood][] = [
      ['a broken connection', 'break'],
      ['a broken connection after it was done', 'accept-and-break'],
      ['an overloaded gateway', { status: 502, text: '<html>Bad Gateway</html>' }],
      ['too many requests', { status: 429 }],
      ['a success that is none', { status: 200, body: { status: 'SUCCESSFUL' } }],
      ['another place', { status: 307, headers: { Location: 'http://127.0.0.1:9/' } }],
      ['an answer without end', { status: 202, text: 'x'.repeat(70_000) }],
    ];

    it.each(BROKEN)('is told after %s, and settled by asking', async (_, mood) => {
      const asked = order();
      momo.moods = [mood];
      const { code, shown } = await refusalOf(provider.createCheckout(asked));
      expect(code).toBe(UNAVAILABLE);
      expect(shown).not.toContain('46733120000');
      const state = await provider.fetchState({ paymentId: asked.paymentId });
      expect(state?.status ?? null).toBe(mood === 'accept-and-break' ? 'succeeded' : null);
      // Asked again, the payer is asked once.
      await provider.createCheckout(asked);
      expect(momo.transactions.size).toBe(1);
    });

    it('takes neither credentials nor numbers anywhere else', async () => {
      const Location = `${uganda.env['MTN_MOMO_API_URL']}${COLLECT}`;
      momo.moods = [{ status: 307, headers: { Location } }];
      expect((await refusalOf(provider.createCheckout(order()))).code).toBe(UNAVAILABLE);
      expect([uganda.problems, uganda.transactions.size]).toEqual([[], 0]);
    });

    it('is told after 20 seconds of silence, of a pay-out and a refund as well', async () => {
      const timeout = AbortSignal.timeout.bind(AbortSignal);
      const waits = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(50));
      momo.moods = ['silence', 'silence', 'silence'];
      const refund = { refundId: newId(), providerReference: newId(), amount: 1n, currency: 'EUR' };
      for (const asking of [
        provider.createCheckout(order()),
        provider.payOut(payout()),
        provider.refund(refund),
      ])
        expect((await refusalOf(asking)).code).toBe(UNAVAILABLE);
      expect(new Set(waits.mock.calls.map(([ms]) => ms))).toEqual(new Set([20_000]));
      expect(await provider.fetchRefund(refund)).toBeNull();
    });

    it.each([
      ['an unknown path', { status: 404, body: { statusCode: 404, message: 'Resource not found' } }],
      ['an error', { status: 500, body: { code: 'INTERNAL_PROCESSING_ERROR' } }],
      ['a status of no document', { status: 200, body: { status: 'WHO_KNOWS' } }],
      ['no status', { status: 200, text: 'ok' }],
      ['half a shilling', { status: 200, body: { status: 'SUCCESSFUL', amount: '5.5', currency: 'UGX' } }],
      ['an amount of nothing', { status: 200, body: { status: 'SUCCESSFUL' } }],
      [
        'another transaction',
        {
          status: 200,
          body: { status: 'SUCCESSFUL', amount: '5', currency: 'EUR', externalId: 'payment-1' },
        },
      ],
    ] satisfies [string, Mood][])('is no absence and no success: %s', async (_, mood) => {
      momo.moods = [mood];
      expect((await refusalOf(provider.fetchState({ paymentId: newId() }))).code).toBe(UNAVAILABLE);
    });

    it('is an absence when MTN knows of no such reference', async () => {
      expect(await provider.fetchState({ paymentId: newId() })).toBeNull();
      expect(await provider.fetchPayout({ payoutId: newId() })).toBeNull();
    });
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

  describe('a refund', () => {
    it('goes back to the payer in parts, and no further than what was paid', async () => {
      const asked = order();
      const { providerReference } = await provider.createCheckout(asked);
      const refund = (amount: bigint) => ({ refundId: newId(), providerReference, amount, currency: 'EUR' });
      const [first, second, third] = [refund(1000n), refund(250n), refund(1n)];
      for (const part of [first, second, first]) await provider.refund(part);
      expect(momo.transactions.size).toBe(3);
      expect(await provider.fetchRefund(first)).toMatchObject({
        providerReference: referenceIdOf(first.refundId),
        status: 'succeeded',
        paid: { amount: 1000n, currency: 'EUR' },
      });
      await provider.refund(third);
      expect(await provider.fetchRefund(third)).toMatchObject({
        status: 'failed',
        failureCode: 'provider_refused',
      });
      expect(momo.float).toBe(10_000 - 12.5);
    });

    it('of what was never paid fails', async () => {
      const refund = {
        refundId: newId(),
        providerReference: referenceIdOf(newId()),
        amount: 1n,
        currency: 'EUR',
      };
      expect(await provider.refund(refund)).toMatchObject({
        status: 'failed',
        failureCode: 'provider_refused',
      });
    });
  });

  describe('a pay-out', () => {
    it('is paid once, however often it is asked', async () => {
      const asked = payout();
      await Promise.all(Array.from({ length: 50 }, () => provider.payOut(asked)));
      expect(momo.transactions.size).toBe(1);
      expect(momo.float).toBe(9990);
      expect(momo.only.body).toMatchObject({ externalId: `payout-${asked.payoutId}`, amount: '10.00' });
      expect(await provider.fetchPayout(asked)).toMatchObject({
        status: 'succeeded',
        paid: { amount: 1000n, currency: 'EUR' },
      });
    });

    it('to what is no number finds no wallet, and nobody is asked', async () => {
      expect(await provider.payOut(payout({ destination: 'ada' }))).toMatchObject({
        failureCode: 'account_not_found',
      });
      expect(momo.transactions.size).toBe(0);
    });

    it('beyond what our wallet holds fails, and an operator reads it', async () => {
      momo.float = 5;
      const asked = payout();
      await provider.payOut(asked);
      expect(await provider.fetchPayout(asked)).toMatchObject({
        status: 'failed',
        failureCode: 'provider_balance_too_low',
      });
      expect(log.join('\n')).toContain('failed by provider_balance_too_low: payout 200 NOT_ENOUGH_FUNDS');
    });
  });

  describe('a callback', () => {
    const read = (body: string) => provider.parseWebhook({ rawBody: Buffer.from(body), headers: {} });

    it('says which transaction to ask about, and proves nothing', async () => {
      const asked = order();
      const { providerReference } = await provider.createCheckout(asked);
      const sent = payout();
      const refund = { refundId: newId(), providerReference, amount: 5n, currency: 'EUR' };
      const states = [
        { about: 'payment', type: 'payment.successful', providerReference, ourId: asked.paymentId },
        {
          about: 'payout',
          type: 'payout.successful',
          ourId: sent.payoutId,
          ...(await reference(provider.payOut(sent))),
        },
        {
          about: 'refund',
          type: 'refund.successful',
          ourId: refund.refundId,
          ...(await reference(provider.refund(refund))),
        },
      ];
      const transactions = [...momo.transactions.values()];
      for (const [index, expected] of states.entries()) {
        const body = momo.callbackOf(transactions[index]!);
        const event = await read(body);
        expect(event).toEqual({ ...expected, eventId: expect.stringMatching(/^[0-9a-f]{64}$/), state: null });
        expect((await read(body)).eventId).toBe(event.eventId);
      }
    });

    it('about nothing of ours is about nothing', async () => {
      for (const body of [
        {},
        { externalId: 7 },
        { externalId: `chargeback-${newId()}` },
        { externalId: 'payment-1' },
      ])
        expect(await read(JSON.stringify(body))).toMatchObject({ about: 'nothing', providerReference: null });
    });

    it.each(['', 'null', '[]', '"text"', '{'])('that is %j is malformed', async (body) => {
      expect((await refusalOf((async () => read(body))())).code).toBe('WEBHOOK_MALFORMED');
    });

    async function reference(
      asked: Promise<{ providerReference: string }>,
    ): Promise<{ providerReference: string }> {
      return { providerReference: (await asked).providerReference };
    }
  });

  describe('the stand-in catches a client that', () => {
    const header = (name: string, value?: string) => (sent: Sent) => {
      if (value === undefined) Reflect.deleteProperty(sent.headers, name);
      else sent.headers[name] = value;
    };
    const body = (over: Record<string, unknown>) => (sent: Sent) => void Object.assign(sent.body, over);
    const payer = { partyIdType: 'MSISDN', partyId: PHONE };

    const MISTAKES: [string, (sent: Sent) => void, string][] = [
      ['leaves X-Reference-Id out', header('X-Reference-Id'), 'X-Reference-Id is no UUID of version 4'],
      [
        'takes an id of version 7',
        header('X-Reference-Id', newId()),
        'X-Reference-Id is no UUID of version 4',
      ],
      ['asks in another currency', body({ currency: 'USD' }), 'USD is not taken here'],
      [
        'leaves the subscription key out',
        header('Ocp-Apim-Subscription-Key'),
        'not a subscription key of collection',
      ],
      [
        'takes the other product’s subscription key',
        header('Ocp-Apim-Subscription-Key', 'disbursement-subscription-9876543210'),
        'not a subscription key of collection',
      ],
      ['names no environment', header('X-Target-Environment'), 'not this environment'],
      ['is not authorised', header('Authorization'), 'no token of collection, or one that has ended'],
      [
        'is called back over http',
        header('X-Callback-Url', 'http://api.example.com/'),
        'callbacks go over https only',
      ],
      [
        'is called back elsewhere',
        header('X-Callback-Url', 'https://evil.example.com/'),
        'not the registered host of callbacks',
      ],
      [
        'does not say that it sends JSON',
        header('Content-Type', 'text/plain'),
        'the body is not JSON by its type',
      ],
      ['writes the amount as a number', body({ amount: 12.5 }), 'data/amount must be string'],
      ['writes a plus before the number', body({ payer }), 'data/payer/partyId must match pattern'],
      [
        'leaves the note out',
        body({ payeeNote: '' }),
        'data/payeeNote must NOT have fewer than 1 characters',
      ],
      ['writes an apostrophe', body({ payerMessage: 'Ada’s' }), 'data/payerMessage must match pattern'],
      ['sends what is not documented', body({ callback: 'x' }), 'data must NOT have additional properties'],
      ['asks for nothing', body({ amount: '0.00' }), 'nothing is asked for'],
    ];

    it.each(MISTAKES)('%s', async (_, mistake, problem) => {
      plantMistake(COLLECT, mistake);
      const became = await provider.createCheckout(order()).catch(() => null);
      expect(became?.status ?? 'failed').toBe('failed');
      expect(momo.problems.join('; ')).toContain(problem);
      expect(momo.transactions.size).toBe(0);
    });

    it('asks in the minor unit: no wallet holds that', async () => {
      const asked = order({ amount: 2000n });
      plantMistake(COLLECT, body({ amount: '2000' }));
      await provider.createCheckout(asked);
      expect(momo.only).toMatchObject({
        status: 'FAILED',
        reason: 'NOT_ENOUGH_FUNDS',
      });
    });

    it('gives a currency a minor unit that has none', async () => {
      plantMistake(COLLECT, body({ amount: '9.00' }));
      const asked = order({ payerPhone: UGANDAN, currency: 'UGX', amount: 900n });
      await expect(providerOf(uganda).createCheckout(asked)).resolves.toMatchObject({ status: 'failed' });
      expect(uganda.problems).toEqual(['UGX has no minor unit']);
    });

    it('takes one reference for two payments', async () => {
      const [first, second] = [order(), order()];
      await provider.createCheckout(first);
      plantMistake(COLLECT, header('X-Reference-Id', referenceIdOf(first.paymentId)));
      await provider.createCheckout(second);
      expect(momo.problems[0]).toBe('Duplicated reference id. Creation of resource failed.');
      expect(momo.transactions.size).toBe(1);
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
