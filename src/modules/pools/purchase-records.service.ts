import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { Purchase, PurchaseEffect } from '../payments/purchase.port.js';
import { UsersService } from '../users/users.service.js';
import type { AccountRef } from '../wallet/ledger.types.js';
import type { WeekSpan } from './domain/entry-fees.js';
import { poolsErrors } from './pools.errors.js';
import { PurchasesRepository, type PurchaseRow } from './purchases.repository.js';

/** What a payment has done: where its money goes, or why it did nothing. */
type Done = { readonly span: WeekSpan; readonly poolId?: string } & (
  { readonly pays: AccountRef } | { readonly refused: string }
);

/** What every purchase has in common: it is done once for its payment, and taken back once. */
@Injectable()
export class PurchaseRecords {
  constructor(
    private readonly repository: PurchasesRepository,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  async requireTerms(manager: EntityManager, userId: string): Promise<void> {
    const { termsVersion: current } = this.rules.auth;
    const { termsVersion } = await this.users.lock(manager, userId);
    if (termsVersion !== current) throw poolsErrors.TERMS_NOT_ACCEPTED({ current });
  }

  /** The caller has locked the payment, so that of several tellings one acts and the others repeat its answer. */
  async once(manager: EntityManager, purchase: Purchase, act: () => Promise<Done>): Promise<PurchaseEffect> {
    const { paymentId, userId, purpose, amount, currency } = purchase;
    const known = await this.repository.find(manager, paymentId);
    if (known !== null) return effectOf(known);
    const done = await act();
    const refused = 'refused' in done ? done.refused : null;
    const escrow = 'pays' in done ? done.pays.owner : null;
    await this.repository.insert(manager, {
      paymentId,
      userId,
      purpose,
      span: done.span,
      poolId: done.poolId ?? null,
      amount,
      currency,
      escrow,
      refused,
      now: this.clock.now(),
    });
    return 'pays' in done ? { pays: done.pays } : { refund: done.refused };
  }

  /** `undo` says whether nothing of it had been used; what was is reported, for an operator to judge. */
  async takeBack(
    manager: EntityManager,
    purchase: Purchase,
    undo: (row: PurchaseRow) => Promise<boolean>,
  ): Promise<void> {
    const row = await this.repository.find(manager, purchase.paymentId);
    if (row === null || row.refused !== null || row.taken_back_at !== null) return;
    const unused = await undo(row);
    await this.repository.markTakenBack(manager, row.payment_id, this.clock.now());
    await this.audit.record(manager, {
      actorId: null,
      action: unused ? 'purchase.taken_back' : 'purchase.refunded_after_use',
      subjectType: 'payment',
      subjectId: row.payment_id,
      details: {
        purpose: row.purpose,
        userId: row.user_id,
        weekId: row.week_id,
        lastWeekId: row.last_week_id,
      },
    });
  }
}

function effectOf({ escrow, currency, refused }: PurchaseRow): PurchaseEffect {
  if (escrow !== null) return { pays: { kind: 'escrow', owner: escrow, currency } };
  return { refund: refused ?? '' };
}
