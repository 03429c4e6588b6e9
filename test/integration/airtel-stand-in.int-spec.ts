import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AirtelMoneyProvider } from '../../src/modules/payments/providers/airtel-money/airtel-money.provider.js';
import { newId } from '../../src/platform/database/ids.js';
import {
  COLLECT,
  failed,
  NUMBERS,
  order,
  payout,
  PHONE,
  providerOf,
  ZAMBIAN,
} from '../support/airtel-payments.js';
import { airtelRequests, AirtelServer } from '../support/airtel-server.js';
import { talksTo } from '../support/mobile-money.js';
import { header, plantMistake, type Sent } from '../support/planted-mistakes.js';

describe('Airtel Money', () => {
  const airtel = new AirtelServer();
  const zambia = new AirtelServer('ZM', 'ZMW');
  let provider: AirtelMoneyProvider;

  talksTo([airtel, zambia], NUMBERS);
  beforeEach(() => {
    provider = providerOf(airtel);
  });

  describe('the stand-in catches a client that', () => {
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
});
