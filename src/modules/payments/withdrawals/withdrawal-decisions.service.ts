import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { GroupedCalls } from '../../../platform/database/grouped-calls.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { RecentProofService } from '../../auth/sessions/recent-proof.service.js';
import type { AdminWithdrawalDto, DecideWithdrawalDto } from './dto/withdrawals.dto.js';
import { PayoutsService } from './payouts.service.js';
import { type Rejection, type RejectionOutcome, RejectionsRepository } from './rejections.repository.js';
import { WithdrawalAnswers } from './withdrawal-answers.js';
import { withdrawalsErrors } from './withdrawals.errors.js';
import { WithdrawalsRepository } from './withdrawals.repository.js';
import type { WithdrawalRow } from './withdrawals.types.js';

/** An operator's word on what the rules did not let pass by itself. */
@Injectable()
export class WithdrawalDecisionsService {
  /** Noes that come at the same time are one call. */
  private readonly rejections = new GroupedCalls<Rejection, RejectionOutcome>({
    subjectOf: ({ id }) => id,
    call: async (some) => await this.noes.rejectAll(some),
    alone: async (one) => await this.noes.reject(one),
  });

  constructor(
    private readonly repository: WithdrawalsRepository,
    private readonly noes: RejectionsRepository,
    private readonly answers: WithdrawalAnswers,
    private readonly payouts: PayoutsService,
    private readonly proofs: RecentProofService,
    private readonly audit: AuditService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Of two operators at once the first decides. Throws PROOF_TOO_OLD of the operator's own session, WITHDRAWAL_NOT_FOUND,
   * WITHDRAWAL_OWN, WITHDRAWAL_ALREADY_DECIDED.
   */
  async decide(operator: Subject, id: string, body: DecideWithdrawalDto): Promise<AdminWithdrawalDto> {
    await this.proofs.require(operator);
    const row =
      body.decision === 'approve'
        ? await this.approve(operator, id, body.note)
        : await this.reject(operator, id, body.note);
    return this.answers.toAdminDto(row);
  }

  /** Closes what did not fit, or why it was held back. Throws as `decide` does, and WITHDRAWAL_NOT_IN_REVIEW. */
  async resolve(operator: Subject, id: string): Promise<AdminWithdrawalDto> {
    await this.proofs.require(operator);
    return await this.unitOfWork.run(async (manager) => {
      const { review } = await this.othersOf(manager, operator, id);
      const row = await this.repository.resolve(manager, id);
      if (!row) throw withdrawalsErrors.WITHDRAWAL_NOT_IN_REVIEW();
      await this.audit.record(manager, {
        actorId: operator.userId,
        action: 'withdrawal.resolved',
        subjectType: 'withdrawal',
        subjectId: id,
        details: { review, userId: row.user_id },
      });
      return this.answers.toAdminDto(row);
    });
  }

  /** Locked. Nobody has a say about their own. */
  private async othersOf(manager: EntityManager, operator: Subject, id: string): Promise<WithdrawalRow> {
    const row = await this.repository.lock(manager, id);
    if (!row) throw withdrawalsErrors.WITHDRAWAL_NOT_FOUND({ withdrawalId: id });
    if (row.user_id === operator.userId) throw withdrawalsErrors.WITHDRAWAL_OWN();
    return row;
  }

  private async approve(operator: Subject, id: string, note: string): Promise<WithdrawalRow> {
    return await this.unitOfWork.run(async (manager) => {
      const { status } = await this.othersOf(manager, operator, id);
      const row = await this.repository.move(manager, id, 'approve', {
        decidedAt: this.clock.now(),
        decidedBy: operator.userId,
        note,
      });
      if (!row) throw withdrawalsErrors.WITHDRAWAL_ALREADY_DECIDED({ status });
      await this.payouts.order(manager, id);
      await this.audit.record(manager, {
        actorId: operator.userId,
        action: 'withdrawal.decided',
        subjectType: 'withdrawal',
        subjectId: id,
        details: { decision: 'approve', userId: row.user_id },
      });
      return row;
    });
  }

  private async reject({ userId: operatorId }: Subject, id: string, note: string): Promise<WithdrawalRow> {
    const rejection = { id, operatorId, note, now: this.clock.now(), requestId: this.outbox.requestId };
    const { refusal, ...row } = await this.rejections.ask(rejection);
    if (refusal === 'WITHDRAWAL_NOT_FOUND') throw withdrawalsErrors[refusal]({ withdrawalId: id });
    if (refusal === 'WITHDRAWAL_ALREADY_DECIDED') throw withdrawalsErrors[refusal]({ status: row.status });
    if (refusal !== null) throw withdrawalsErrors[refusal]();
    this.outbox.wake();
    return row;
  }
}
