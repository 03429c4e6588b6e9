import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Place } from '../../platform/geo/place.js';
import { DomainError } from '../../platform/http/domain-error.js';
import { JurisdictionsService } from '../compliance/jurisdictions.service.js';
import { limitErrors } from '../compliance/limits.errors.js';
import { LimitsService } from '../compliance/limits/limits.service.js';
import { PolicyService } from '../compliance/policy.service.js';
import { orderedOf, placeOf, PURCHASE } from './payment-facts.js';
import type { PaymentPurpose, PaymentRow, RefundRow } from './payments.types.js';
import type { Money } from './provider.js';

/** Why a renewal's money goes back, and whether each to come would go back as well. */
export interface RenewalRefusal {
  readonly code: string;
  readonly forGood: boolean;
}

/** What a payment is to the payer's limits, from the checkout on. What is bought by a payment is paid in and staked at once. */
@Injectable()
export class PaymentLimits {
  constructor(
    private readonly limits: LimitsService,
    private readonly jurisdictions: JurisdictionsService,
    private readonly policy: PolicyService,
  ) {}

  /** Before anything is charged, in the payer's gate. Throws LIMIT_REQUIRED, LIMIT_EXCEEDED. */
  async begin(
    manager: EntityManager,
    payment: { id: string; userId: string; purpose: PaymentPurpose; money: Money; place: Place },
  ): Promise<void> {
    const { id, userId, purpose, money, place } = payment;
    await this.limits.book(manager, {
      userId,
      kind: purpose === 'deposit' ? 'deposit' : 'purchase',
      money,
      reference: referenceOf(id),
      jurisdiction: this.jurisdictions.ofAnywhere(place),
    });
  }

  /**
   * A renewal is charged before anybody is asked: by the rules, as they are now, of where its user was when they subscribed. What is no
   * longer allowed there ends the subscription, for it would be charged and given back each time.
   */
  async renew(manager: EntityManager, payment: PaymentRow): Promise<RenewalRefusal | null> {
    const { id, user_id: userId, purpose } = payment;
    const money = orderedOf(payment);
    const place = placeOf(payment.place);
    // Those of before places were kept go by what bars anybody anywhere.
    const refusal =
      payment.place === null ? null : await this.policy.judgeAbsent(manager, userId, PURCHASE, place);
    if (refusal !== null) return { code: refusal.code, forGood: true };
    try {
      await this.begin(manager, { id, userId, purpose, money, place });
      return null;
    } catch (error) {
      if (!(error instanceof DomainError) || !REFUSALS.has(error.code)) throw error;
      const limit = Number(error.details['limit'] ?? -1);
      return { code: error.code, forGood: limit < Number(money.amount) };
    }
  }

  /** The money came. What stands aside, or goes back because it could do nothing, was neither paid in nor staked. */
  async came(manager: EntityManager, { id }: PaymentRow, stays: boolean): Promise<void> {
    if (stays) await this.limits.count(manager, referenceOf(id));
    else await this.limits.release(manager, referenceOf(id));
  }

  /** The payment ended without money, as far as is known. */
  async ended(manager: EntityManager, { id }: PaymentRow): Promise<void> {
    await this.limits.release(manager, referenceOf(id));
  }

  async refunded(manager: EntityManager, { id: refundId, payment_id: id, amount }: RefundRow): Promise<void> {
    await this.limits.giveBack(manager, referenceOf(id), BigInt(amount), `refund:${refundId}`);
  }

  /** A bank has refused the refund after all. */
  async refundUndone(
    manager: EntityManager,
    { id: refundId, payment_id: id, amount }: RefundRow,
  ): Promise<void> {
    await this.limits.takeAgain(manager, referenceOf(id), BigInt(amount), `refund:${refundId}:undone`);
  }
}

const REFUSALS: ReadonlySet<string> = new Set(Object.values(limitErrors).map(({ code }) => code));

function referenceOf(paymentId: string): string {
  return `payment:${paymentId}`;
}
