import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { Subject } from '../../platform/security/subject.js';
import { UsersService } from '../users/users.service.js';
import type { SetStakeLimitDto, StakeLimitDto } from './dto/stake-limits.dto.js';
import { type StakeLimitRow, StakeLimitsRepository } from './stake-limits.repository.js';

/** What an operator lets one user stake on one market at most. */
@Injectable()
export class StakeLimitsService {
  constructor(
    private readonly repository: StakeLimitsRepository,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Throws USER_NOT_FOUND. */
  async get(userId: string): Promise<StakeLimitDto> {
    await this.users.get(userId);
    return toDto(userId, await this.repository.find(userId));
  }

  /** What is staked already stays. Throws USER_NOT_FOUND. */
  async set(
    subject: Subject,
    userId: string,
    { maxStake, reason }: SetStakeLimitDto,
  ): Promise<StakeLimitDto> {
    await this.unitOfWork.run(async (manager) => {
      await this.users.lock(manager, userId);
      const before = toDto(userId, await this.repository.lock(manager, userId)).maxStake;
      if (before === maxStake) return;
      await this.repository.save(manager, userId, maxStake, this.clock.now());
      await this.audit.record(manager, {
        actorId: subject.userId,
        action: 'bets.stake-limit',
        subjectType: 'user',
        subjectId: userId,
        details: { from: before, to: maxStake, reason },
      });
    });
    return await this.get(userId);
  }
}

function toDto(userId: string, row: StakeLimitRow | null): StakeLimitDto {
  return {
    userId,
    maxStake: row && Number(row.max_stake),
    updatedAt: row?.updated_at.toISOString() ?? null,
  };
}
