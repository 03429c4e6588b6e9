import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AirtelMoneyProvider } from '../../src/modules/payments/providers/airtel-money/airtel-money.provider.js';
import { newId } from '../../src/platform/database/ids.js';
import { answering, NATIONAL, NUMBERS, order, payout, providerOf } from '../support/airtel-payments.js';
import { AirtelServer } from '../support/airtel-server.js';
import type { Mood } from '../support/mobile-money-server.js';
import { refusalOf, talksTo } from '../support/mobile-money.js';

const UNAVAILABLE = 'PROVIDER_UNAVAILABLE';

describe('Airtel Money', () => {
  const airtel = new AirtelServer();
  let provider: AirtelMoneyProvider;

  talksTo([airtel], NUMBERS);
  beforeEach(() => {
    provider = providerOf(airtel);
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
});
