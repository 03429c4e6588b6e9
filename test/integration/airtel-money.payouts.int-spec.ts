import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AirtelMoneyProvider } from '../../src/modules/payments/providers/airtel-money/airtel-money.provider.js';
import { newId } from '../../src/platform/database/ids.js';
import {
  answering,
  failed,
  NATIONAL,
  NUMBERS,
  order,
  payout,
  providerOf,
} from '../support/airtel-payments.js';
import { AirtelServer } from '../support/airtel-server.js';
import type { Mood } from '../support/mobile-money-server.js';
import { refusalOf, talksTo } from '../support/mobile-money.js';

const UNAVAILABLE = 'PROVIDER_UNAVAILABLE';

describe('Airtel Money', () => {
  const airtel = new AirtelServer();
  let provider: AirtelMoneyProvider;

  const log = talksTo([airtel], NUMBERS);
  beforeEach(() => {
    provider = providerOf(airtel);
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
      expect(log().join('\n')).toContain(
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
      expect(log().join('\n')).toContain('failed by provider_balance_too_low: 200 DP00900001007');
    });

    it('that Airtel calls failed and done in one answer stays open', async () => {
      airtel.fates.set(NATIONAL, { status: 'TF', code: 'DP00900001001' });
      expect(await provider.payOut(payout())).toMatchObject({ status: 'pending' });
    });
  });
});
