import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Effect } from '../../platform/http/answers.js';
import type { ErrorFactory } from '../../platform/http/domain-error.js';
import { type IdempotencyKey, IdempotencyService } from '../../platform/http/idempotency.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { Subject } from '../../platform/security/subject.js';
import { complianceErrors } from '../compliance/compliance.errors.js';
import { UsersService } from '../users/users.service.js';
import { canBuyBack } from './domain/buy-back.js';
import { buyBackUntil, formatWeekId } from './domain/calendar.js';
import type { GrantedPassDto, GrantPassDto } from './dto/weeks.dto.js';
import type { Week } from './entities/week.entity.js';
import { MembersRepository } from './members.repository.js';
import { poolsErrors } from './pools.errors.js';
import { WeeksRepository } from './weeks.repository.js';
import { readWeekId, WeeksService } from './weeks.service.js';

/** What lets a user play: a week's pass, and buying back. Until there are payments an admin grants them. */
@Injectable()
export class PassesService {
  constructor(
    private readonly weeks: WeeksService,
    private readonly weeksRepository: WeeksRepository,
    private readonly repository: MembersRepository,
    private readonly users: UsersService,
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

  /** A pass that comes after the draw of its week counts for the next one, and the answer says so. */
  private async grantPass(
    manager: EntityManager,
    admin: Subject,
    userId: string,
    wanted: Week | null,
  ): Promise<GrantedPassDto> {
    const now = this.clock.now();
    let week = wanted && wanted.startsAt > now ? wanted : await this.nextToJoin(manager, now);
    // The draw takes the same lock: a pass is in its list, or counts for a later week. Who waited for it looks again.
    while ((await this.weeks.getLocked(manager, week.id)).status !== 'open')
      week = await this.nextToJoin(manager, week.startsAt);
    const granted = await this.repository.insertPass(manager, {
      userId,
      weekId: week.id,
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

  private async nextToJoin(manager: EntityManager, after: Date): Promise<Week> {
    const week = await this.weeksRepository.findNextToJoin(manager, after);
    if (!week) throw poolsErrors.WEEK_NOT_OPEN_YET();
    return week;
  }

  private async grantBuyBack(
    manager: EntityManager,
    userId: string,
    reference: string,
  ): Promise<GrantedPassDto> {
    const weekId = this.weeks.currentId();
    const member = await this.repository.lockMember(manager, userId, weekId);
    if (!member) throw poolsErrors.NOT_A_MEMBER({ week: formatWeekId(weekId) });
    const { minimumAge } = this.rules.auth;
    const { status, refusal: barred } = await this.repository.enterGates(manager, {
      userId,
      weekId,
      minimumAge,
    });
    if (status !== 'grouped') throw poolsErrors.WEEK_STATE_CONFLICT({ status });
    if (barred !== null) throw barredFrom(barred);
    const now = this.clock.now(); // inside the gates
    const refusal = canBuyBack({
      balance: BigInt(member.balance),
      openBets: member.bets_open,
      now,
      until: buyBackUntil(weekId, this.rules.pools.zone),
      alreadyBought: await this.repository.hasBoughtBack(manager, userId, member.pool_id),
    });
    if (refusal) throw poolsErrors[refusal]({ balance: Number(member.balance), openBets: member.bets_open });
    const credits = await this.repository.adjust(manager, {
      id: newId(),
      poolId: member.pool_id,
      userId,
      weekId,
      amount: this.rules.pools.buyBackCredits,
      reference,
      now,
    });
    return { kind: 'buy_back', userId, week: formatWeekId(weekId), movedToNextWeek: false, credits };
  }
}

function barredFrom(code: string): Error {
  const refusal = (complianceErrors as Readonly<Record<string, ErrorFactory>>)[code];
  return refusal ? refusal() : new Error(`compliance_refusal says ${code}`);
}
