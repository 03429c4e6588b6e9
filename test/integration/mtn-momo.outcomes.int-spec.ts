import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { MtnMomoProvider } from '../../src/modules/payments/providers/mtn-momo/mtn-momo.provider.js';
import { newId } from '../../src/platform/database/ids.js';
import type { Mood } from '../support/mobile-money-server.js';
import { refusalOf, talksTo } from '../support/mobile-money.js';
import { COLLECT, NUMBERS, order, payout, providerOf } from '../support/momo-payments.js';
import { MomoServer } from '../support/momo-server.js';

const UNAVAILABLE = 'PROVIDER_UNAVAILABLE';

describe('MTN MoMo', () => {
  const momo = new MomoServer();
  const uganda = new MomoServer('mtnuganda', 'UGX');
  let provider: MtnMomoProvider;

  talksTo([momo, uganda], NUMBERS);
  beforeEach(() => {
    provider = providerOf(momo);
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
});
