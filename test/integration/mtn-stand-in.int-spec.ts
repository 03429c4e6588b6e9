import { beforeEach, describe, expect, it } from '@jest/globals';
import type { MtnMomoProvider } from '../../src/modules/payments/providers/mtn-momo/mtn-momo.provider.js';
import { referenceIdOf } from '../../src/modules/payments/providers/mtn-momo/reference-id.js';
import { newId } from '../../src/platform/database/ids.js';
import { talksTo } from '../support/mobile-money.js';
import { COLLECT, NUMBERS, order, PHONE, providerOf, UGANDAN } from '../support/momo-payments.js';
import { MomoServer } from '../support/momo-server.js';
import { header, plantMistake, type Sent } from '../support/planted-mistakes.js';

describe('MTN MoMo', () => {
  const momo = new MomoServer();
  const uganda = new MomoServer('mtnuganda', 'UGX');
  let provider: MtnMomoProvider;

  talksTo([momo, uganda], NUMBERS);
  beforeEach(() => {
    provider = providerOf(momo);
  });

  describe('the stand-in catches a client that', () => {
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
});
