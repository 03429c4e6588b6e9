import { mayDo, outranks, type Permission } from '../../../../platform/security/permissions.js';
import type { Role } from '../../../../platform/security/subject.js';
import type { Standing } from '../../../users/standing/standing.types.js';

/** What an operator wants of a user's standing. */
export interface StandingChange {
  role?: Role;
  /** A ban until then (null: for good), or `lift`. */
  ban?: { until: Date | null } | 'lift';
}

export type Objection =
  | { kind: 'yourself' } // nobody judges themselves
  | { kind: 'rank' } // nor someone of their rank or above, nor makes one
  | { kind: 'permission'; permission: Permission };

interface Actor {
  id: string;
  role: Role;
}

/** Why the actor has no say about the target at all, or null. Admins have it about each other. */
export function objectionToSay(actor: Actor, target: Pick<Standing, 'id' | 'role'>): Objection | null {
  if (actor.id === target.id) return { kind: 'yourself' };
  return actor.role === 'admin' || outranks(actor.role, target.role) ? null : { kind: 'rank' };
}

/** Whether a ban until then takes `users.ban`. */
export function isLong(until: Date | null, longest: Date): boolean {
  return until === null || until > longest;
}

/**
 * Why the actor may not make this change, or null. Bans that end by `longest` are for everyone who may ban at all; longer
 * ones, those for good, and meddling with them, take `users.ban`, however little of them is left.
 */
export function objectionTo(
  actor: Actor,
  target: Standing,
  change: StandingChange,
  longest: Date,
): Objection | null {
  const objection = objectionToSay(actor, target);
  if (objection !== null) return objection;
  if (change.role !== undefined) {
    if (!mayDo(actor.role, 'users.role')) return { kind: 'permission', permission: 'users.role' };
    if (actor.role !== 'admin' && !outranks(actor.role, change.role)) return { kind: 'rank' };
  }
  const touchesLong =
    change.ban !== undefined &&
    ((change.ban !== 'lift' && isLong(change.ban.until, longest)) ||
      (target.status === 'banned' && (target.longBan || isLong(target.bannedUntil, longest))));
  if (touchesLong && !mayDo(actor.role, 'users.ban')) return { kind: 'permission', permission: 'users.ban' };
  return null;
}

/** What of the change would change something. */
export function effectOf(target: Standing, change: StandingChange, reason: string): StandingChange {
  const { role, ban } = change;
  const banned = target.status === 'banned';
  const same =
    ban === undefined ||
    (ban === 'lift'
      ? !banned
      : banned && target.bannedUntil?.getTime() === ban.until?.getTime() && target.banReason === reason);
  return {
    ...(role === undefined || role === target.role ? {} : { role }),
    ...(same ? {} : { ban }),
  };
}

/** The longer of the ban that stands and the one that is wanted: a decision on a report shortens none. */
export function longerBan(target: Standing, until: Date | null): Date | null {
  if (target.status !== 'banned' || until === null) return until;
  if (target.bannedUntil === null) return null;
  return target.bannedUntil > until ? target.bannedUntil : until;
}
