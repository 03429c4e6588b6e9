import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import type { LedgerVerificationDto } from './dto/verify.dto.js';
import { type VerificationRow, VerificationsRepository } from './verifications.repository.js';
import { verifyErrors } from './verify.errors.js';
import { VerifyService } from './verify.service.js';
import type { VerificationState } from './verify.types.js';
import { verificationRequested } from './wallet.events.js';

/** What has not ended by then has lost its job, and stands in nobody's way. */
const LOST_AFTER_MS = 2 * 3_600_000;

/** Verifications that operators ask for: begun here, done by the worker, for they outlast what waits for an answer. */
@Injectable()
export class VerificationsService {
  constructor(
    private readonly repository: VerificationsRepository,
    private readonly verifier: VerifyService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Throws LEDGER_VERIFY_RUNNING while one that was asked for has not ended. */
  async request(requestedBy: string): Promise<LedgerVerificationDto> {
    const now = this.clock.now();
    return await this.unitOfWork.run(async (manager) => {
      await this.repository.giveUpBefore(manager, new Date(now.getTime() - LOST_AFTER_MS), now);
      const row = await this.repository.insert(manager, { id: newId(), requestedBy, now });
      if (row === null) throw verifyErrors.LEDGER_VERIFY_RUNNING();
      await this.outbox.publish(manager, verificationRequested, { verificationId: row.id });
      return toDto(row);
    });
  }

  /** Throws LEDGER_VERIFICATION_NOT_FOUND. */
  async describe(id: string): Promise<LedgerVerificationDto> {
    const row = await this.repository.find(id);
    if (row === null) throw verifyErrors.LEDGER_VERIFICATION_NOT_FOUND();
    return toDto(row);
  }

  /** Does it, unless that is done. Throws LEDGER_VERIFY_RUNNING while another one, a night's, is under way. */
  async perform(id: string): Promise<void> {
    const row = await this.repository.start(id, this.clock.now());
    if (row === null) return;
    const report = await this.verifier.verify(row.requested_by);
    await this.repository.finish(id, report, this.clock.now());
  }

  /** It was tried as often as it may be. */
  async giveUp(id: string): Promise<void> {
    await this.repository.finish(id, null, this.clock.now());
  }
}

function toDto(row: VerificationRow): LedgerVerificationDto {
  return {
    id: row.id,
    state: stateOf(row),
    requestedBy: row.requested_by,
    requestedAt: row.requested_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    report: row.report,
  };
}

function stateOf({
  started_at: startedAt,
  finished_at: finishedAt,
  report,
}: VerificationRow): VerificationState {
  if (report !== null) return 'done';
  if (finishedAt !== null) return 'failed';
  return startedAt === null ? 'queued' : 'running';
}
