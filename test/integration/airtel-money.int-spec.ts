import { beforeEach, describe, expect, it } from '@jest/globals';
import { PaymentProviders } from '../../src/modules/payments/payment-providers.js';
import { AirtelMoneyModule } from '../../src/modules/payments/providers/airtel-money/airtel-money.module.js';
import type { AirtelMoneyProvider } from '../../src/modules/payments/providers/airtel-money/airtel-money.provider.js';
import {
  answering,
  failed,
  NATIONAL,
  NUMBERS,
  order,
  payout,
  providerOf,
  ZAMBIAN,
} from '../support/airtel-payments.js';
import { AirtelServer, type AirtelStatus } from '../support/airtel-server.js';
import { becameOf, configWith, refusalOf, talksTo } from '../support/mobile-money.js';

const UNAVAILABLE = 'PROVIDER_UNAVAILABLE';
const UNKNOWN = { refused: UNAVAILABLE };

describe('Airtel Money', () => {
  const airtel = new AirtelServer();
  const zambia = new AirtelServer('ZM', 'ZMW');
  let provider: AirtelMoneyProvider;

  const log = talksTo([airtel, zambia], NUMBERS);
  beforeEach(() => {
    provider = providerOf(airtel);
  });

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
      expect(log().join('\n')).toContain(`failed by provider_refused: ${http} without a code`);
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
