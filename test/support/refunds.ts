import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { Answer, Client } from './client.js';
import type { PaymentsBench } from './payments.js';

/** An operator's refunds, and what the bank says of them. Bench and operator may change from test to test. */
export function refundsOf(now: () => { bench: PaymentsBench; admin: Client }) {
  return {
    refund: async (id: string, body: object = {}, key: string = randomUUID()): Promise<Answer> =>
      await now().admin.post(`admin/payments/${id}/refund`, { reason: 'Asked for it', ...body }, { key }),
    paymentOf: async (id: string) => (await now().admin.get(`admin/payments/${id}`)).data,
    /** The bank's word on a refund, by an event of its own. */
    says: async (id: string, status: 'pending' | 'succeeded' | 'failed'): Promise<void> => {
      const { bench } = now();
      const state = { ...bench.bank.refunds.get(id)!, status };
      const event = { id: randomUUID(), type: 'refund', about: 'refund', reference: state.reference, state };
      expect(await bench.send(event)).toBe(200);
    },
    actionsOn: async (id: string): Promise<string[]> =>
      (await now().admin.get('admin/audit?limit=100')).data
        .filter((row: { subjectId: string }) => row.subjectId === id)
        .map(({ action }: { action: string }) => action),
    takenBack: (id: string) => now().bench.shop.takenBack.filter(({ paymentId }) => paymentId === id).length,
  };
}
