import { beforeEach, describe, expect, it } from '@jest/globals';
import type { MtnMomoProvider } from '../../src/modules/payments/providers/mtn-momo/mtn-momo.provider.js';
import { referenceIdOf } from '../../src/modules/payments/providers/mtn-momo/reference-id.js';
import { newId } from '../../src/platform/database/ids.js';
import { talksTo } from '../support/mobile-money.js';
import { NUMBERS, order, payout, providerOf } from '../support/momo-payments.js';
import { MomoServer } from '../support/momo-server.js';

describe('MTN MoMo', () => {
  const momo = new MomoServer();
  let provider: MtnMomoProvider;

  const log = talksTo([momo], NUMBERS);
  beforeEach(() => {
    provider = providerOf(momo);
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
      expect(log().join('\n')).toContain('failed by provider_balance_too_low: payout 200 NOT_ENOUGH_FUNDS');
    });
  });
});
