import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { RecentProofService } from '../../auth/sessions/recent-proof.service.js';
import { LedgerService } from '../../wallet/ledger.service.js';
import type { AdminWithdrawalDto, DecideWithdrawalDto } from './dto/withdrawals.dto.js';
import { PayoutsService } from './payouts.service.js';
import { WithdrawalAnswers } from './withdrawal-answers.js';
import { withdrawalsErrors } from './withdrawals.errors.js';
import { withdrawalChanged } from './withdrawals.events.js';
import { WithdrawalsRepository } from './withdrawals.repository.js';
import type { WithdrawalRow } from './withdrawals.types.js';

/** An operator's word on what the rules did not let pass by itself. */
@Injectable()
export class WithdrawalDecisionsService {
  constructor(
    private readonly repository: WithdrawalsRepository,
    private readonly answers: WithdrawalAnswers,
    private readonly payouts: PayoutsService,
    private readonly ledger: LedgerService,
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
    return await this.unitOfWork.run(async (manager) => {
      const asked = await this.othersOf(manager, operator, id);
      const row =
        body.decision === 'approve'
          ? await this.approve(manager, operator, asked, body.note)
          : await this.reject(manager, operator, asked, body.note);
      await this.audit.record(manager, {
        actorId: operator.userId,
        action: 'withdrawal.decided',
        subjectType: 'withdrawal',
        subjectId: id,
        details: { decision: body.decision, userId: row.user_id },
      });
      return this.answers.toAdminDto(row);
    });
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

  private async approve(
    manager: EntityManager,
    operator: Subject,
    { id, status }: WithdrawalRow,
    note: string,
  ): Promise<WithdrawalRow> {
    const decidedAt = this.clock.now();
    const row = await this.repository.move(manager, id, 'approve', {
      decidedAt,
      decidedBy: operator.userId,
      note,
    });
    if (!row) throw withdrawalsErrors.WITHDRAWAL_ALREADY_DECIDED({ status });
    await this.payouts.order(manager, id);
    return row;
  }

  private async reject(
    manager: EntityManager,
    operator: Subject,
    { id, status, hold_id: holdId, user_id: userId }: WithdrawalRow,
    note: string,
  ): Promise<WithdrawalRow> {
    const now = this.clock.now();
    const row = await this.repository.move(manager, id, 'reject', {
      decidedAt: now,
      decidedBy: operator.userId,
      note,
      settledAt: now,
    });
    if (!row) throw withdrawalsErrors.WITHDRAWAL_ALREADY_DECIDED({ status });
    await this.ledger.release(manager, { holdId, reference: `withdrawal:${id}:released` });
    await this.outbox.publish(manager, withdrawalChanged, { withdrawalId: id, userId, status: 'rejected' });
    return row;
  }
}
