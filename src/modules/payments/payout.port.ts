import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ProviderState } from './provider.js';

export type PayoutOutcome = 'applied' | 'stale' | 'unknown' | 'review';

export interface PayoutHandler {
  /** Our id of a payout of this provider, by itself or by the provider's reference; null when there is none. */
  find(provider: string, by: { payoutId: string | null; reference: string | null }): Promise<string | null>;
  /** What the provider says of it, in the transaction that notes the event. Told twice it is done once. */
  settle(manager: EntityManager, payoutId: string, state: ProviderState): Promise<PayoutOutcome>;
}

/** Webhooks about payouts are for those who made them: withdrawals register here at boot. */
@Injectable()
export class PayoutPort {
  private handler: PayoutHandler | undefined;

  register(handler: PayoutHandler): void {
    if (this.handler) throw new Error('payouts are handled already');
    this.handler = handler;
  }

  async find(...args: Parameters<PayoutHandler['find']>): Promise<string | null> {
    return (await this.handler?.find(...args)) ?? null;
  }

  async settle(...args: Parameters<PayoutHandler['settle']>): Promise<PayoutOutcome> {
    return (await this.handler?.settle(...args)) ?? 'unknown';
  }
}
