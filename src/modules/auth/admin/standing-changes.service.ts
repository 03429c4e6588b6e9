import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { StandingService } from '../../users/standing/standing.service.js';
import type { Standing, StandingReason } from '../../users/standing/standing.types.js';
import { usersErrors } from '../../users/users.errors.js';
import { authErrors } from '../auth.errors.js';
import { SessionsService } from '../sessions.service.js';
import { adminErrors } from './admin.errors.js';
import {
  effectOf,
  isLong,
  type Objection,
  objectionTo,
  objectionToSay,
  type StandingChange,
} from './domain/say.js';

const DAY_MS = 86_400_000;

interface Parties {
  actor: Standing;
  target: Standing;
}

/**
 * Changes of roles and bans, by whatever operation, in its transaction. Both sides are locked and read anew, so of two admins
 * who demote each other at once one is no admin any more when it is their turn: whoever acts is an admin left.
 */
@Injectable()
export class StandingChangesService {
  constructor(
    private readonly standing: StandingService,
    private readonly sessions: SessionsService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Both sides, locked, once it is sure that the actor has a say about the target; before any other row is locked.
   * Throws USER_NOT_FOUND, NOT_YOURS_TO_JUDGE.
   */
  async begin(
    manager: EntityManager,
    subject: Subject,
    targetId: string,
    options: { bans: boolean },
  ): Promise<Parties> {
    if (options.bans) await this.standing.holdStakes(manager, targetId);
    const rows = await this.standing.lock(manager, subject.userId, targetId);
    const [actor, target] = [rows.get(subject.userId), rows.get(targetId)];
    if (!target) throw usersErrors.USER_NOT_FOUND({ userId: targetId });
    if (actor?.status !== 'active') throw authErrors.FORBIDDEN();
    refuse(objectionToSay(actor, target));
    return { actor, target };
  }

  /** Makes the change and ends the target's sessions with it. Throws USER_ERASED, BAN_END_PAST, FORBIDDEN, NOT_YOURS_TO_JUDGE. */
  async apply(
    manager: EntityManager,
    { actor, target }: Parties,
    wanted: StandingChange,
    reason: StandingReason,
  ): Promise<void> {
    const now = this.clock.now();
    if (target.status === 'erased') throw adminErrors.USER_ERASED();
    if (
      wanted.ban !== undefined &&
      wanted.ban !== 'lift' &&
      wanted.ban.until !== null &&
      wanted.ban.until <= now
    )
      throw adminErrors.BAN_END_PAST({ field: 'bannedUntil', now: now.toISOString() });
    const longest = new Date(now.getTime() + this.rules.auth.moderation.shortBanDays * DAY_MS);
    refuse(objectionTo(actor, target, wanted, longest));
    const { role, ban } = effectOf(target, wanted, reason);
    if (role !== undefined) {
      await this.standing.setRole(manager, target.id, role);
      await this.record(manager, actor, target, 'user.role-changed', { from: target.role, to: role, reason });
    }
    if (ban === 'lift') {
      await this.standing.lift(manager, target.id);
      await this.record(manager, actor, target, 'user.unbanned', { reason });
    } else if (ban !== undefined) {
      // One that is shortened stays with those who have set it, for who may set no other could lift the rest.
      const long = target.longBan || isLong(ban.until, longest);
      await this.standing.ban(manager, target.id, { until: ban.until, long, reason });
      const until = ban.until?.toISOString() ?? null;
      await this.record(manager, actor, target, 'user.banned', { until, reason });
    }
    if (ban !== undefined && ban !== 'lift') await this.sessions.endAll(manager, target.id, 'banned');
    else if (role !== undefined) await this.sessions.endAll(manager, target.id, 'role_changed');
  }

  private async record(
    manager: EntityManager,
    actor: Standing,
    target: Standing,
    action: string,
    details: object,
  ): Promise<void> {
    await this.audit.record(manager, {
      actorId: actor.id,
      action,
      subjectType: 'user',
      subjectId: target.id,
      details,
    });
  }
}

function refuse(objection: Objection | null): void {
  if (objection === null) return;
  if (objection.kind === 'permission') throw authErrors.FORBIDDEN({ permission: objection.permission });
  throw adminErrors.NOT_YOURS_TO_JUDGE({ because: objection.kind });
}
