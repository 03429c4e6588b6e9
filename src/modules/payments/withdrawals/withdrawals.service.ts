import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Place } from '../../../platform/geo/place.js';
import type { Effect, Listed } from '../../../platform/http/answers.js';
import { type IdempotencyKey, IdempotencyService } from '../../../platform/http/idempotency.js';
import {
  type CursorQuery,
  cursorPage,
  DEFAULT_LIMIT,
  readCursor,
} from '../../../platform/http/pagination.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { PasswordAgeService } from '../../auth/password/password-age.service.js';
import { RecentProofService } from '../../auth/sessions/recent-proof.service.js';
import { JurisdictionsService } from '../../compliance/jurisdictions.service.js';
import { KycService } from '../../compliance/kyc/kyc.service.js';
import { WithdrawalRules, type WithdrawalVerdict } from '../../compliance/withdrawal-rules.service.js';
import { LedgerService } from '../../wallet/ledger.service.js';
import { PaymentProviders } from '../payment-providers.js';
import { paymentsErrors } from '../payments.errors.js';
import type {
  AdminWithdrawalDto,
  AdminWithdrawalsQuery,
  RequestWithdrawalDto,
  WithdrawalDto,
} from './dto/withdrawals.dto.js';
import { PayoutsService } from './payouts.service.js';
import { WithdrawalAnswers } from './withdrawal-answers.js';
import { withdrawalsErrors } from './withdrawals.errors.js';
import { withdrawalChanged } from './withdrawals.events.js';
import { WithdrawalsRepository } from './withdrawals.repository.js';

const UUID = /^[0-9a-f-]{36}$/;
const E164 = /^\+[1-9]\d{6,14}$/;

/** Asking for one's money. It is held from then on, and leaves when the rules or an operator say so. */
@Injectable()
export class WithdrawalsService {
  constructor(
    private readonly repository: WithdrawalsRepository,
    private readonly answers: WithdrawalAnswers,
    private readonly providers: PaymentProviders,
    private readonly payouts: PayoutsService,
    private readonly ledger: LedgerService,
    private readonly withdrawalRules: WithdrawalRules,
    private readonly kyc: KycService,
    private readonly jurisdictions: JurisdictionsService,
    private readonly proofs: RecentProofService,
    private readonly passwords: PasswordAgeService,
    private readonly idempotency: IdempotencyService,
    private readonly audit: AuditService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Holds the money at once. An exclusion does not stand in the way: it is the user's own. Throws PROOF_TOO_OLD,
   * PAYMENT_PROVIDER_UNKNOWN, CURRENCY_NOT_TAKEN, AMOUNT_OUT_OF_RANGE, PHONE_REQUIRED, WITHDRAWAL_COOLING_OFF,
   * TOO_MANY_OPEN_WITHDRAWALS, KYC_REQUIRED, INSUFFICIENT_FUNDS.
   */
  async request(
    subject: Subject,
    place: Place,
    body: RequestWithdrawalDto,
    key: IdempotencyKey,
  ): Promise<Effect<WithdrawalDto>> {
    const { userId } = subject;
    const now = this.clock.now();
    const scope = { userId, operation: 'withdrawals.request', status: 201, now };
    return await this.unitOfWork.run(async (manager) => {
      await this.proofs.hold(manager, subject); // the user's row too: one request after the other
      return await this.idempotency.once(manager, scope, key, async () => {
        this.requirePayable(body);
        const verdict = await this.judge(manager, userId, place, body, now);
        return await this.take(manager, userId, body, verdict, now);
      });
    });
  }

  /** The caller's own, the newest first. */
  async list({ userId }: Subject, query: CursorQuery): Promise<Listed<WithdrawalDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const [before] = readCursor(query.cursor, [UUID]) ?? [];
    const rows = await this.repository.listOf(userId, before ?? null, limit + 1);
    return cursorPage(
      rows,
      limit,
      ({ id }) => [id],
      (row) => this.answers.toDto(row),
    );
  }

  /** All in one state, or all that need an operator in whatever state; the oldest first. */
  async listAll(query: AdminWithdrawalsQuery): Promise<Listed<AdminWithdrawalDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const [after] = readCursor(query.cursor, [UUID]) ?? [];
    const rows =
      query.review === 'open'
        ? await this.repository.listInReview(after ?? null, limit + 1)
        : await this.repository.listByStatus(query.status ?? 'requested', after ?? null, limit + 1);
    return cursorPage(
      rows,
      limit,
      ({ id }) => [id],
      (row) => this.answers.toAdminDto(row),
    );
  }

  private requirePayable({ provider: name, currency, amount, destination }: RequestWithdrawalDto): void {
    const provider = this.providers.get(name);
    const range = this.rules.withdrawals.amounts[currency];
    if (range === undefined || !provider.currencies.includes(currency))
      throw paymentsErrors.CURRENCY_NOT_TAKEN({ currency, provider: name });
    if (amount < range.min || amount > range.max)
      throw paymentsErrors.AMOUNT_OUT_OF_RANGE({ min: range.min, max: range.max, currency });
    if (provider.needsPhone && !E164.test(destination))
      throw paymentsErrors.PHONE_REQUIRED({ field: 'destination' });
  }

  private async judge(
    manager: EntityManager,
    userId: string,
    place: Place,
    { amount, currency }: RequestWithdrawalDto,
    now: Date,
  ): Promise<WithdrawalVerdict> {
    const since = this.withdrawalRules.windowStart(now);
    const figures = await this.repository.figuresOf(manager, userId, currency, since);
    const { openAtMost } = this.rules.withdrawals;
    if (figures.open >= openAtMost) throw withdrawalsErrors.TOO_MANY_OPEN_WITHDRAWALS({ limit: openAtMost });
    await this.kyc.requireFor(manager, {
      userId,
      kind: 'withdrawal',
      money: { amount: BigInt(amount), currency },
      before: () => Promise.resolve(figures.amount),
      jurisdiction: this.jurisdictions.ofAnywhere(place),
    });
    return await this.withdrawalRules.judge({
      userId,
      amount: BigInt(amount),
      currency,
      before: figures.amount,
      disputed: figures.disputed,
      passwordChangedAt: await this.passwords.changedAt(manager, userId),
      now,
    });
  }

  private async take(
    manager: EntityManager,
    userId: string,
    { amount, currency, provider, destination }: RequestWithdrawalDto,
    verdict: WithdrawalVerdict,
    now: Date,
  ): Promise<WithdrawalDto> {
    const id = newId();
    const { holdId } = await this.ledger.hold(manager, {
      reference: `withdrawal:${id}`,
      userId,
      amount: BigInt(amount),
      currency,
      purpose: 'withdrawal',
      expiresAt: null,
      metadata: { withdrawalId: id },
    });
    const row = await this.repository.insert(manager, {
      id,
      userId,
      amount: BigInt(amount),
      currency,
      provider,
      destination: this.answers.encrypt(id, destination),
      holdId,
      status: verdict === 'pay' ? 'approved' : 'requested',
      now,
    });
    if (verdict === 'pay') await this.payouts.order(manager, id);
    await this.outbox.publish(manager, withdrawalChanged, { withdrawalId: id, userId, status: 'requested' });
    await this.audit.record(manager, {
      actorId: userId,
      action: 'withdrawal.requested',
      subjectType: 'withdrawal',
      subjectId: id,
      details: { amount, currency, provider, verdict },
    });
    return this.answers.toDto(row);
  }
}
