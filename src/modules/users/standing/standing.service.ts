import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { Listed } from '../../../platform/http/answers.js';
import { DEFAULT_LIMIT, type PageQuery } from '../../../platform/http/pagination.js';
import { DeadlinesService } from '../../../platform/jobs/deadlines.service.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import type { Role } from '../../../platform/security/subject.js';
import { usersErrors } from '../users.errors.js';
import { STANDING_DEADLINES } from './standing.events.js';
import { StandingRepository } from './standing.repository.js';
import type { Ban, ListedUser, Standing, UsersFilter } from './standing.types.js';

/** Roles and bans. Who may change whose is decided above, in `auth`, where sessions end with them. */
@Injectable()
export class StandingService {
  constructor(
    private readonly repository: StandingRepository,
    private readonly deadlines: DeadlinesService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Throws USER_NOT_FOUND. */
  async get(id: string): Promise<ListedUser> {
    const user = await this.repository.find(id);
    if (!user) throw usersErrors.USER_NOT_FOUND({ userId: id });
    return user;
  }

  async list<Item>(
    filter: UsersFilter,
    query: PageQuery,
    toItem: (user: ListedUser) => Item,
  ): Promise<Listed<Item>> {
    const [page, limit] = [query.page ?? 1, query.limit ?? DEFAULT_LIMIT];
    const [users, total] = await Promise.all([
      this.repository.list(filter, (page - 1) * limit, limit),
      this.repository.count(filter),
    ]);
    return new Listed(users.map(toItem), { page, limit, total });
  }

  /** These users by id, locked until the end of the transaction. Ids that are unknown are left out. */
  async lock(manager: EntityManager, ...ids: string[]): Promise<Map<string, Standing>> {
    const rows = await this.repository.lock(manager, ids);
    return new Map(rows.map((row) => [row.id, row]));
  }

  async setRole(manager: EntityManager, id: string, role: Role): Promise<void> {
    await this.repository.setRole(manager, id, role);
  }

  /** Holds off the stakes of a user who is about to be banned. Comes before any row is locked. */
  async holdStakes(manager: EntityManager, id: string): Promise<void> {
    await this.repository.shutGate(manager, id);
  }

  /** Bans, in place of a ban that stands. */
  async ban(manager: EntityManager, id: string, ban: Ban): Promise<void> {
    const { until } = ban;
    await this.repository.ban(manager, id, ban);
    if (until !== null)
      await this.deadlines.set(manager, STANDING_DEADLINES.banEnd, { subject: id, dueAt: until });
  }

  async lift(manager: EntityManager, id: string): Promise<void> {
    await this.repository.lift(manager, id);
  }

  /** Ends a ban whose time has come. One that was lengthened, made for good or lifted meanwhile is left as it is. */
  async endBan(id: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const ended = await this.repository.liftEnded(manager, id, this.clock.now());
      if (ended)
        await this.audit.record(manager, {
          actorId: null,
          action: 'user.ban-ended',
          subjectType: 'user',
          subjectId: id,
          details: {},
        });
    });
  }
}
