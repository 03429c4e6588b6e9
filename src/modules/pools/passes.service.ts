import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Effect } from '../../platform/http/answers.js';
import { type IdempotencyKey, IdempotencyService } from '../../platform/http/idempotency.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { Subject } from '../../platform/security/subject.js';
import { complianceErrors } from '../compliance/compliance.errors.js';
import { ComplianceService } from '../compliance/compliance.service.js';
import { UsersService } from '../users/users.service.js';
import { BuyBacksService } from './buy-backs.service.js';
import { formatWeekId } from './domain/calendar.js';
import type { GrantedPassDto, GrantPassDto } from './dto/weeks.dto.js';
import type { Week } from './entities/week.entity.js';
import { MembersRepository } from './members.repository.js';
import { poolsErrors } from './pools.errors.js';
import { readWeekId, WeeksService } from './weeks.service.js';

/** What an admin gives away: a week's pass, and buying back. Nobody has paid for it, so it puts nothing into a pot. */
@Injectable()
export class PassesService {
  constructor(
    private readonly weeks: WeeksService,
    private readonly buyBacks: BuyBacksService,
    private readonly repository: MembersRepository,
    private readonly users: UsersService,
    private readonly compliance: ComplianceService,
    private readonly idempotency: IdempotencyService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  async grant(
    admin: Subject,
    userId: string,
    body: GrantPassDto,
    key: IdempotencyKey,
  ): Promise<Effect<GrantedPassDto>> {
    const user = await this.users.get(userId);
    if (user.termsVersion !== this.rules.auth.termsVersion)
      throw poolsErrors.TERMS_NOT_ACCEPTED({ current: this.rules.auth.termsVersion });
    // Read before the transaction: within it a read of its own would wait for a second connection.
    const wanted = body.week === undefined ? null : await this.weeks.get(readWeekId(body.week));
    const scope = {
      userId: admin.userId,
      operation: `pass.grant:${userId}`,
      status: 201,
      now: this.clock.now(),
    };
    return await this.unitOfWork.run((manager) =>
      this.idempotency.once(manager, scope, key, async () => {
        const granted =
          body.kind === 'week_pass'
            ? await this.grantPass(manager, admin, userId, wanted)
            : await this.grantBuyBack(manager, userId, key.key);
        await this.audit.record(manager, {
          actorId: admin.userId,
          action: `pass.${body.kind}`,
          subjectType: 'user',
          subjectId: userId,
          details: { week: granted.week },
        });
        return granted;
      }),
    );
  }

  /** A pass that comes after the draw of its week counts for the next one, and the answer says so. Nobody is led back by a present. */
  private async grantPass(
    manager: EntityManager,
    admin: Subject,
    userId: string,
    wanted: Week | null,
  ): Promise<GrantedPassDto> {
    const barred = await this.compliance.enterGate(manager, userId);
    if (barred === complianceErrors.SELF_EXCLUDED.code) throw complianceErrors.SELF_EXCLUDED();
    const now = this.clock.now();
    const week = await this.weeks.lockNextToJoin(manager, now, wanted);
    const granted = await this.repository.insertPass(manager, {
      userId,
      weekId: week.id,
      source: 'admin',
      grantedBy: admin.userId,
      now,
    });
    if (!granted) throw poolsErrors.PASS_ALREADY_HELD({ week: formatWeekId(week.id) });
    return {
      kind: 'week_pass',
      userId,
      week: formatWeekId(week.id),
      movedToNextWeek: wanted !== null && week.id !== wanted.id,
      credits: null,
    };
  }

  private async grantBuyBack(
    manager: EntityManager,
    userId: string,
    reference: string,
  ): Promise<GrantedPassDto> {
    const weekId = this.weeks.currentId();
    const buyer = await this.buyBacks.enter(manager, userId, weekId);
    const credits = await this.buyBacks.credit(manager, buyer, reference);
    return { kind: 'buy_back', userId, week: formatWeekId(weekId), movedToNextWeek: false, credits };
  }
}
