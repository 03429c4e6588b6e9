import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AccountRef } from '../wallet/ledger.types.js';

export type PurchasePurpose = 'week_pass' | 'subscription' | 'buy_back';

export interface Purchase {
  readonly paymentId: string;
  readonly userId: string;
  readonly purpose: PurchasePurpose;
  readonly amount: bigint;
  readonly currency: string;
  /** What `atCheckout` answered. */
  readonly subject: string;
  /** Of a subscription: from when it is paid, where the provider tells, and until when. */
  readonly periodStart: Date | null;
  readonly periodEnd: Date | null;
}

/** Where the money of a purchase goes, or that it goes back because it can no longer do what it was paid for. */
export type PurchaseEffect = { readonly pays: AccountRef } | { readonly refund: string };

export interface PurchaseHandler {
  /** Before anything is charged: throws when the user may not buy this now; answers what is bought (a week's id). */
  atCheckout(manager: EntityManager, userId: string): Promise<string>;
  /** In the transaction that books the money. Called again for the same payment it answers the same and does nothing more. */
  paid(manager: EntityManager, purchase: Purchase): Promise<PurchaseEffect>;
  /** The payment was refunded or lost in a dispute: takes back what is unused. */
  refunded(manager: EntityManager, purchase: Purchase): Promise<void>;
}

/** What a purchase does is the business of modules above, which register here at boot. */
@Injectable()
export class PurchasePort {
  private readonly handlers = new Map<PurchasePurpose, PurchaseHandler>();

  register(purpose: PurchasePurpose, handler: PurchaseHandler): void {
    if (this.handlers.has(purpose)) throw new Error(`${purpose} is handled already`);
    this.handlers.set(purpose, handler);
  }

  get(purpose: PurchasePurpose): PurchaseHandler {
    const handler = this.handlers.get(purpose);
    if (!handler) throw new Error(`nobody handles ${purpose}`);
    return handler;
  }
}
