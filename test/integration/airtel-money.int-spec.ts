import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PaymentProviders } from '../../src/modules/payments/payment-providers.js';
import { AirtelMoneyModule } from '../../src/modules/payments/providers/airtel-money/airtel-money.module.js';
import { AirtelMoneyProvider } from '../../src/modules/payments/providers/airtel-money/airtel-money.provider.js';
import { newId } from '../../src/platform/database/ids.js';
import { airtelRequests, AirtelServer, type AirtelStatus } from '../support/airtel-server.js';
import type { Mood } from '../support/mobile-money-server.js';
import { aCheckout, aPayout, becameOf, configWith, logged, refusalOf } from '../support/mobile-money.js';
import { plantMistake, type Sent } from '../support/planted-mistakes.js';

const NATIONAL = '752604392';
const PHONE = `+256${NATIONAL}`;
const ZAMBIAN = '+260971234567';
const COLLECT = '/merchant/v1/payments/';
const UNAVAILABLE = 'PROVIDER_UNAVAILABLE';
const UNKNOWN = { refused: UNAVAILABLE };

describe('Airtel Money', () => {
  let airtel: AirtelServer;
  let zambia: AirtelServer;
  let provider: AirtelMoneyProvider;
  let log: string[];

  beforeAll(async () => {
    airtel = await new AirtelServer().start();
    zambia = await new AirtelServer('ZM', 'ZMW').start();
  });
  afterAll(async () => {
    await airtel.stop();
    await zambia.stop();
  });
  beforeEach(() => {
    airtel.reset();
    zambia.reset();
    provider = providerOf(airtel);
    log = logged();
  });
  afterEach(() => {
    jest.restoreAllMocks();
    // Whatever a test does, nobody's number is logged.
    expect(log.join('\n')).not.toMatch(/752604392|97123/);
  });

  function providerOf(server: AirtelServer, over: Record<string, string> = {}): AirtelMoneyProvider {
    return new AirtelMoneyProvider(configWith({ ...server.env, ...over }));
  }
  const order = (over: Partial<Parameters<typeof aCheckout>[0]> = {}) =>
    aCheckout({ payerPhone: PHONE, currency: 'UGX', ...over });
  const payout = (over: Partial<Parameters<typeof aPayout>[0]> = {}) =>
    aPayout({ destination: PHONE, currency: 'UGX', ...over });
  const failed = (failureCode: string, status = 'failed') => ({ status, failureCode });
  const answering = (code: string, http = 200): Mood => ({
    status: http,
    body: { status: { code: String(http), message: PHONE, success: false, [familyOf(code)]: code } },
  });
  const familyOf = (code: string): string => (code.startsWith('DP') ? 'response_code' : 'result_code');

  describe('a checkout', () => {
    it('asks the payer’s telephone, and is paid once they confirm', async () => {
      const asked = order();
      expect(await provider.createCheckout(asked)).toEqual({
        providerReference: asked.paymentId,
        status: 'pending',
        paid: null,
        failureCode: null,
        redirectUrl: null,
      });
      expect(airtel.problems).toEqual([]);
      expect(airtel.only).toMatchObject({
        product: 'collection',
        id: asked.paymentId,
        msisdn: NATIONAL,
        amount: 1250,
        reference: 'Ada s deposit 1st',
      });
      expect(await provider.fetchState({ paymentId: asked.paymentId })).toEqual({
        providerReference: asked.paymentId,
        status: 'succeeded',
        paid: null,
        failureCode: null,
      });
    });

    it('is asked in the major unit where the currency has a smaller one', async () => {
      await providerOf(zambia).createCheckout(order({ payerPhone: ZAMBIAN, currency: 'ZMW', amount: 1010n }));
      expect(zambia.only).toMatchObject({ amount: 10.1, msisdn: '971234567' });
    });

    it('asked by 100 at once under one id is asked of the payer once', async () => {
      const asked = order();
      const checkouts = await Promise.all(Array.from({ length: 100 }, () => provider.createCheckout(asked)));
      expect(checkouts.every(({ status }) => ['pending', 'succeeded'].includes(status))).toBe(true);
      expect(airtel.transactions.size).toBe(1);
    });

    it('is never paid by its own answer, whatever that calls a success', async () => {
      airtel.moods = [answering('DP00800001001'), { status: 200, body: { status: { success: true } } }];
      expect((await provider.createCheckout(order())).status).toBe('pending');
      expect((await refusalOf(provider.createCheckout(order()))).code).toBe(UNAVAILABLE);
    });

    it('of a number of another country finds no wallet, and nobody is asked', async () => {
      const asked = order({ payerPhone: ZAMBIAN });
      expect(await provider.createCheckout(asked)).toMatchObject(failed('account_not_found'));
      expect(await provider.payOut(payout({ destination: ZAMBIAN }))).toMatchObject(
        failed('account_not_found'),
      );
      expect(await provider.payOut(payout({ destination: 'ada' }))).toMatchObject(
        failed('account_not_found'),
      );
      expect([airtel.transactions.size, airtel.problems]).toEqual([0, []]);
    });

    it('needs a number, and the currency of the country', async () => {
      for (const payerPhone of [null, NATIONAL, ''])
        expect((await refusalOf(provider.createCheckout(order({ payerPhone })))).code).toBe('PHONE_REQUIRED');
      expect((await refusalOf(provider.createCheckout(order({ currency: 'KES' })))).code).toBe(
        'CURRENCY_NOT_TAKEN',
      );
      expect(airtel.transactions.size).toBe(0);
    });
  });

  describe('a transaction', () => {
    it.each<[AirtelStatus, string, object]>([
      ['TS', 'DP00800001001', { status: 'succeeded', failureCode: null }],
      ['TIP', 'DP00800001006', { status: 'pending' }],
      ['TA', 'DP00800001000', { status: 'pending' }],
      ['TE', 'DP00800001029', failed('timed_out', 'expired')],
      ['TF', 'DP00800001002', failed('wrong_pin')],
      ['TF', 'DP00800001003', failed('limit_reached')],
      ['TF', 'DP00800001004', failed('amount_out_of_range')],
      ['TF', 'DP00800001005', failed('timed_out')],
      ['TF', 'DP00800001007', failed('insufficient_funds')],
      ['TF', 'DP00800001008', failed('declined')],
      ['TF', 'DP00800001009', failed('declined')],
      ['TF', 'DP00800001010', failed('account_not_allowed')],
      ['TF', 'DP00800001024', failed('timed_out')],
      ['TF', 'DP00800001029', failed('timed_out', 'expired')],
      ['TF', 'DP99999999999', failed('provider_error')],
    ])('that ends as %s with %s', async (status, code, expected) => {
      airtel.fates.set(NATIONAL, { status, code });
      const asked = order();
      expect((await provider.createCheckout(asked)).status).toBe('pending');
      expect(await provider.fetchState({ paymentId: asked.paymentId })).toMatchObject({
        ...expected,
        paid: null,
      });
      // Asked again under its id it tells the same.
      expect(await provider.createCheckout(asked)).toMatchObject(expected);
    });
  });

  describe('the codes that a request may be answered', () => {
    const refused = failed('provider_refused');
    // What a checkout becomes, and a pay-out; or that its outcome is not known.
    const CODES: Record<string, [collection: object, disbursement: object]> = {
      DP00800001000: [{ status: 'pending' }, { status: 'pending' }],
      DP00800001002: [failed('wrong_pin'), failed('wrong_pin')],
      DP00800001024: [{ status: 'pending' }, { status: 'pending' }],
      DP00800001025: [UNKNOWN, UNKNOWN],
      DP00800001026: [refused, refused],
      DP00900001000: [{ status: 'pending' }, { status: 'pending' }],
      DP00900001001: [{ status: 'pending' }, { status: 'succeeded' }],
      DP00900001003: [failed('limit_reached'), failed('limit_reached')],
      DP00900001004: [failed('amount_out_of_range'), failed('amount_out_of_range')],
      DP00900001005: [failed('provider_error'), failed('provider_error')],
      DP00900001006: [{ status: 'pending' }, { status: 'pending' }],
      DP00900001007: [failed('provider_balance_too_low'), failed('provider_balance_too_low')],
      DP00900001009: [refused, refused],
      DP00900001010: [refused, refused],
      DP00900001011: [{ status: 'pending' }, { status: 'pending' }],
      DP00900001012: [failed('account_not_found'), failed('account_not_found')],
      DP00900001013: [failed('declined'), failed('declined')],
      DP00900001014: [{ status: 'pending' }, { status: 'pending' }],
      DP00900001015: [UNKNOWN, UNKNOWN],
      DP00900001016: [refused, refused],
      DP00900001017: [{ status: 'pending' }, { status: 'pending' }],
      DP00900001018: [refused, refused],
      ROUTER001: [refused, refused],
      ROUTER003: [refused, refused],
      ROUTER005: [refused, refused],
      ROUTER006: [refused, refused],
      ROUTER007: [refused, refused],
      ROUTER112: [refused, refused],
      ROUTER114: [refused, refused],
      ROUTER115: [refused, refused],
      ROUTER116: [refused, refused],
      ROUTER117: [UNKNOWN, UNKNOWN],
      ROUTER119: [refused, refused],
      ESB000001: [UNKNOWN, UNKNOWN],
      ESB000004: [UNKNOWN, UNKNOWN],
      ESB000008: [UNKNOWN, UNKNOWN],
      ESB000010: [{ status: 'pending' }, { status: 'pending' }],
      ESB000011: [failed('provider_error'), failed('provider_error')],
      ESB000014: [UNKNOWN, UNKNOWN],
      ESB000033: [failed('account_not_found'), failed('account_not_found')],
      ESB000034: [refused, refused],
      ESB000035: [refused, refused],
      ESB000036: [failed('account_not_found'), failed('account_not_found')],
      ESB000039: [refused, refused],
      ESB000041: [{ status: 'pending' }, { status: 'pending' }],
      ESB000045: [UNKNOWN, UNKNOWN],
      UNHEARD_OF: [UNKNOWN, UNKNOWN],
    };

    it.each(Object.entries(CODES))('%s', async (code, [collection, disbursement]) => {
      for (const [expected, ask] of [
        [collection, () => provider.createCheckout(order())],
        [disbursement, () => provider.payOut(payout())],
      ] as const) {
        airtel.moods = [answering(code)];
        expect(await becameOf(ask())).toMatchObject(expected);
      }
      expect(airtel.transactions.size).toBe(0);
    });

    it.each([400, 403, 404, 415])('none, with status %i: nothing was done', async (http) => {
      airtel.moods = [{ status: http }];
      expect(await provider.payOut(payout())).toMatchObject(refused);
      expect(log.join('\n')).toContain(`failed by provider_refused: ${http} without a code`);
    });
  });

  describe('an outcome that is not known', () => {
    const BROKEN: [string, Mood][] = [
      ['a broken connection', 'break'],
      ['a broken connection after it was done', 'accept-and-break'],
      ['an overloaded gateway', { status: 502, text: '<html>Bad Gateway</html>' }],
      ['too many requests', { status: 429 }],
      ['another place', { status: 307, headers: { Location: 'http://127.0.0.1:9/' } }],
    ];

    it.each(BROKEN)('is told after %s, and settled by asking', async (_, mood) => {
      const asked = payout();
      airtel.moods = [mood];
      const { code, shown } = await refusalOf(provider.payOut(asked));
      expect(code).toBe(UNAVAILABLE);
      expect(shown).not.toContain(NATIONAL);
      const state = await provider.fetchPayout({ payoutId: asked.payoutId });
      expect(state?.status ?? null).toBe(mood === 'accept-and-break' ? 'succeeded' : null);
      await provider.payOut(asked);
      expect([airtel.transactions.size, airtel.float]).toEqual([1, 999_000]);
    });

    it('is told after 20 seconds of silence', async () => {
      const timeout = AbortSignal.timeout.bind(AbortSignal);
      const waits = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(50));
      airtel.moods = ['silence'];
      expect((await refusalOf(provider.createCheckout(order()))).code).toBe(UNAVAILABLE);
      expect(waits).toHaveBeenCalledWith(20_000);
    });

    it.each([
      ['an unknown path', { status: 404 }],
      ['a code about the question', answering('ROUTER005', 400)],
      ['a failure of theirs', answering('ESB000014')],
      ['a code of success alone', answering('DP00800001001')],
      ['a status of no document', { status: 200, body: { data: { transaction: { status: 'TX' } } } }],
      ['no JSON', { status: 200, text: 'ok' }],
      [
        'another transaction',
        { status: 200, body: { data: { transaction: { id: newId(), status: 'TS' } } } },
      ],
    ] satisfies [string, Mood][])('is no absence, no failure and no success: %s', async (_, mood) => {
      airtel.moods = [mood, mood];
      expect((await refusalOf(provider.fetchState({ paymentId: newId() }))).code).toBe(UNAVAILABLE);
      expect((await refusalOf(provider.fetchPayout({ payoutId: newId() }))).code).toBe(UNAVAILABLE);
    });

    it('is an absence when Airtel knows of no such transaction', async () => {
      expect(await provider.fetchState({ paymentId: newId() })).toBeNull();
      expect(await provider.fetchPayout({ payoutId: newId() })).toBeNull();
    });
  });

  describe('tokens', () => {
    it('are asked for once, and replaced once when they are refused', async () => {
      const before = airtel.tokensIssued;
      const fifty = () => Promise.all(Array.from({ length: 50 }, () => provider.createCheckout(order())));
      await fifty();
      expect(airtel.tokensIssued - before).toBe(1);
      airtel.revokeTokens();
      await fifty();
      expect([airtel.transactions.size, airtel.tokensIssued - before]).toEqual([100, 2]);
    });

    it('that are not to be had leave everything undone', async () => {
      airtel.tokenMoods = [{ status: 503 }, { status: 401 }];
      for (let time = 0; time < 2; time += 1)
        expect((await refusalOf(provider.payOut(payout()))).code).toBe(UNAVAILABLE);
      expect(airtel.transactions.size).toBe(0);
    });
  });

  describe('a refund', () => {
    const paid = async () => {
      const asked = order();
      const { providerReference } = await provider.createCheckout(asked);
      const whole = { amount: asked.amount, currency: 'UGX' };
      return { refundId: newId(), providerReference, ...whole, whole };
    };

    it('is of the whole payment, and once', async () => {
      const refund = await paid();
      expect(await provider.refund(refund)).toMatchObject({
        status: 'succeeded',
        providerReference: airtel.only.airtelMoneyId,
      });
      expect(airtel.only.refunded).toBe(true);
    });

    it('of a part is not done, as nothing is when the whole is not told', async () => {
      const refund = await paid();
      for (const over of [
        { amount: 1n },
        { whole: undefined },
        { whole: { amount: 1250n, currency: 'KES' } },
      ])
        expect(await provider.refund({ ...refund, ...over })).toMatchObject(failed('whole_refunds_only'));
      expect(airtel.only.refunded).toBe(false);
    });

    it('of what is not paid is not done', async () => {
      airtel.fates.set(NATIONAL, { status: 'TIP', code: 'DP00800001006' });
      expect((await refusalOf(provider.refund(await paid()))).code).toBe(UNAVAILABLE);
      expect(airtel.only.refunded).toBe(false);
    });

    it.each<[string, Mood]>([
      ['was lost', 'accept-and-break'],
      ['never came', 'break'],
      ['is that of an overloaded gateway', { status: 502 }],
      ['is that it was refused, as a second one would be', answering('DP00800001008')],
      ['says nothing', { status: 200, body: { status: { success: true } } }],
    ])('whose answer %s stays open for an operator', async (_, mood) => {
      const refund = await paid();
      moodAfterEnquiry(mood);
      const state = { status: 'pending', providerReference: airtel.only.airtelMoneyId };
      expect(await provider.refund(refund)).toMatchObject(state);
      expect(
        await provider.fetchRefund({ ...refund, providerReference: airtel.only.airtelMoneyId }),
      ).toMatchObject(state);
      expect(log.join('\n')).toContain(
        `the payment ${airtel.only.airtelMoneyId} was refunded has to be looked up`,
      );
    });

    it('asked again after it was done stays open: it is never called failed', async () => {
      const refund = await paid();
      await provider.refund(refund);
      expect(await provider.refund(refund)).toMatchObject({ status: 'pending' });
    });

    it.each([
      ['DP00800001007', 'insufficient_funds'],
      ['ROUTER112', 'provider_refused'],
    ])('that is refused outright by %s has failed', async (code, failureCode) => {
      const refund = await paid();
      moodAfterEnquiry(answering(code));
      expect(await provider.refund(refund)).toMatchObject(failed(failureCode));
      expect(airtel.only.refunded).toBe(false);
    });

    /** A refund asks two things: what Airtel calls the payment, and that it be refunded. */
    function moodAfterEnquiry(mood: Mood): void {
      const { airtelMoneyId, id } = airtel.only;
      const transaction = { airtel_money_id: airtelMoneyId, id, status: 'TS' };
      airtel.moods = [{ status: 200, body: { data: { transaction } } }, mood];
    }
  });

  describe('a pay-out', () => {
    it('is paid at once, and once, however often it is asked', async () => {
      const asked = payout();
      const states = await Promise.all(Array.from({ length: 50 }, () => provider.payOut(asked)));
      expect(new Set(states.map(({ status }) => status))).toEqual(new Set(['succeeded']));
      expect([airtel.transactions.size, airtel.float]).toEqual([1, 999_000]);
      expect(airtel.only).toMatchObject({ product: 'disbursement', id: asked.payoutId, msisdn: NATIONAL });
    });

    it('beyond what our wallet holds fails, and an operator reads it', async () => {
      airtel.float = 5;
      expect(await provider.payOut(payout())).toMatchObject(failed('provider_balance_too_low'));
      expect(log.join('\n')).toContain('failed by provider_balance_too_low: 200 DP00900001007');
    });

    it('that Airtel calls failed and done in one answer stays open', async () => {
      airtel.fates.set(NATIONAL, { status: 'TF', code: 'DP00900001001' });
      expect(await provider.payOut(payout())).toMatchObject({ status: 'pending' });
    });
  });

  describe('a callback', () => {
    it.each(['body', 'transaction', 'header'] as const)('hashed over its %s is a hint', async (hashed) => {
      const asked = order();
      await provider.createCheckout(asked);
      expect(await provider.parseWebhook(airtel.callbackOf(airtel.only, hashed))).toEqual({
        eventId: expect.stringMatching(/^[0-9a-f]{64}$/),
        type: 'payment.ts',
        about: 'payment',
        providerReference: asked.paymentId,
        ourId: asked.paymentId,
        state: null,
      });
    });

    it('that is not hashed, or hashed over something else, is refused', async () => {
      await provider.createCheckout(order());
      const { rawBody } = airtel.callbackOf(airtel.only, 'body');
      const plain = airtel.callbackOf(airtel.only, 'none').rawBody;
      const { headers } = airtel.callbackOf(airtel.only, 'header');
      const later = Buffer.from(rawBody.toString().replace('"TS"', '"TF"'));
      for (const forged of [
        { rawBody: plain, headers: {} },
        { rawBody: later, headers: {} },
        { rawBody: Buffer.from(`${plain.toString()} `), headers },
        { rawBody: plain, headers: { hash: '' } },
        { rawBody: Buffer.from('{"hash":""}'), headers: {} },
      ])
        expect((await refusalOf((async () => provider.parseWebhook(forged))())).code).toBe(
          'WEBHOOK_SIGNATURE_INVALID',
        );
    });

    it('needs no hash where authentication is off: it is a hint still', async () => {
      const open = providerOf(airtel, { AIRTEL_CALLBACK_KEY: '' });
      const asked = order();
      await open.createCheckout(asked);
      const event = await open.parseWebhook(airtel.callbackOf(airtel.only, 'none'));
      expect(event).toMatchObject({ about: 'payment', providerReference: asked.paymentId, state: null });
      const other = { rawBody: Buffer.from('{"transaction":{"id":"BBZMiscxy"}}'), headers: {} };
      expect(await open.parseWebhook(other)).toMatchObject({ about: 'nothing', providerReference: null });
    });
  });

  describe('the stand-in catches a client that', () => {
    const header = (name: string, value?: string) => (sent: Sent) => {
      if (value === undefined) Reflect.deleteProperty(sent.headers, name);
      else sent.headers[name] = value;
    };
    const inside = (part: string, over: object) => (sent: Sent) =>
      void Object.assign(sent.body[part] as object, over);

    const MISTAKES: [string, string, (sent: Sent) => void, string][] = [
      ['names no country', COLLECT, header('X-Country'), 'X-Country is missing'],
      ['names another country', COLLECT, header('X-Country', 'KE'), 'not this country'],
      ['names no currency', COLLECT, header('X-Currency'), 'X-Currency is missing'],
      ['names another currency', COLLECT, header('X-Currency', 'KES'), 'not this currency'],
      [
        'asks in another currency',
        COLLECT,
        inside('transaction', { currency: 'KES' }),
        'not this currency in the body',
      ],
      [
        'asks of another country',
        COLLECT,
        inside('subscriber', { country: 'KE' }),
        'not this country in the body',
      ],
      ['is not authorised', COLLECT, header('Authorization'), 'no token, or one that has ended'],
      [
        'writes the country’s code before the number',
        COLLECT,
        inside('subscriber', { msisdn: '256752604392' }),
        'length',
      ],
      [
        'writes a plus before the number',
        COLLECT,
        inside('subscriber', { msisdn: PHONE }),
        'msisdn must match pattern',
      ],
      [
        'writes the amount as text',
        COLLECT,
        inside('transaction', { amount: '1250' }),
        'amount must be number',
      ],
      [
        'gives a currency a minor unit that has none',
        COLLECT,
        inside('transaction', { amount: 12.5 }),
        'not an amount',
      ],
      [
        'leaves the id out',
        COLLECT,
        inside('transaction', { id: undefined }),
        "must have required property 'id'",
      ],
      [
        'does not say that it sends JSON',
        COLLECT,
        header('Content-Type', 'text/plain'),
        'not JSON by its type',
      ],
      [
        'sends an empty body',
        COLLECT,
        (sent) => void (sent.body = {}),
        "must have required property 'reference'",
      ],
      [
        'sends the credentials of somebody else',
        '/auth/oauth2/token',
        (sent) => void Object.assign(sent.body, { client_secret: 'another' }),
        'no such client',
      ],
    ];

    it.each(MISTAKES)('%s', async (_, path, mistake, problem) => {
      plantMistake(path, mistake);
      const became = await provider.createCheckout(order()).catch(() => null);
      expect(became?.status ?? 'failed').toBe('failed');
      expect(airtel.problems.join('; ')).toContain(problem);
      expect(airtel.transactions.size).toBe(0);
    });

    it('sends another PIN', async () => {
      plantMistake('/standard/v1/disbursements/', (sent) => void (sent.body['pin'] = '1234'));
      expect(await provider.payOut(payout())).toMatchObject(failed('provider_refused'));
      expect(airtel.problems).toEqual(['not the encrypted PIN']);
    });

    it('asks in the minor unit: no wallet holds that', async () => {
      const cheap = order({ payerPhone: ZAMBIAN, currency: 'ZMW', amount: 200_000n });
      plantMistake(COLLECT, inside('transaction', { amount: 200_000 }));
      await providerOf(zambia).createCheckout(cheap);
      expect(zambia.only).toMatchObject({ status: 'TF', code: 'DP00800001007' });
    });

    it('takes one id for two payments', async () => {
      const first = order();
      await provider.createCheckout(first);
      plantMistake(COLLECT, inside('transaction', { id: first.paymentId }));
      await provider.createCheckout(order());
      expect(airtel.problems[0]).toBe('a transaction with this id is there already');
      expect(airtel.transactions.size).toBe(1);
    });
  });

  describe('the public collection of requests', () => {
    const bodyOf = (name: string): unknown => JSON.parse(airtelRequests.get(name)?.body?.raw ?? 'null');
    const shape = (value: unknown): unknown =>
      typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]))
        : typeof value;

    it.each([
      ['Collection Receive', COLLECT, () => provider.createCheckout(order())],
      ['Disbursement Send', '/standard/v1/disbursements/', () => provider.payOut(payout())],
      [
        'Collection Refund',
        '/standard/v1/payments/refund',
        async () => {
          const asked = order();
          const { providerReference } = await provider.createCheckout(asked);
          const whole = { amount: asked.amount, currency: 'UGX' };
          await provider.refund({ refundId: newId(), providerReference, ...whole, whole });
        },
      ],
    ])('%s has the body that we send', async (name, path, ask) => {
      const sent: Sent[] = [];
      plantMistake(path, (each) => void sent.push(each));
      await ask();
      expect(sent.map(({ body }) => shape(body))).toEqual([shape(bodyOf(name))]);
      const named = airtelRequests.get(name)!;
      expect(Object.keys(sent[0]!.headers)).toEqual(
        expect.arrayContaining(named.header.map(({ key }) => key)),
      );
      // It collects by version 2, which Airtel has for signed messages; ours is the documented version 1.
      expect(named.url.raw.replace('{{base_uri}}', '').replace('/v2/', '/v1/')).toBe(path);
    });
  });

  it('is not made without its account', () => {
    for (const name of ['AIRTEL_CLIENT_SECRET', 'AIRTEL_COUNTRY', 'AIRTEL_ENCRYPTED_PIN'])
      expect(() => providerOf(airtel, { [name]: '' })).toThrow(`${name}: required with AIRTEL_CLIENT_ID`);
    expect(() => providerOf(airtel, { AIRTEL_CLIENT_ID: '' })).toThrow('needs its client');
    expect(() => providerOf(airtel, { AIRTEL_ENCRYPTED_PIN: '1234' })).toThrow('not the PIN');
  });

  it('is a provider where it is configured, and none where it is not', () => {
    const namesWith = (env: Record<string, string>): readonly string[] => {
      const providers = new PaymentProviders();
      new AirtelMoneyModule(configWith(env), providers).onModuleInit();
      return providers.names;
    };
    expect([namesWith(airtel.env), namesWith({})]).toEqual([['airtel-money'], []]);
  });

  it('takes the currency of its country', () => {
    expect([provider.currencies, providerOf(zambia).currencies]).toEqual([['UGX'], ['ZMW']]);
  });
});
