import type { Role } from '../../../platform/security/subject.js';
import { REPORT_REASONS } from '../reports/reports.types.js';

/** Why an operator changes a user's standing: for what may be reported, on an appeal, or because staff changes. */
export const STANDING_REASONS = [...REPORT_REASONS, 'appeal', 'staffing'] as const;
export type StandingReason = (typeof STANDING_REASONS)[number];

export const USER_STATES = ['active', 'banned', 'erased'] as const;

/** What decides what a user may do, and who has a say about it. */
export interface Standing {
  id: string;
  role: Role;
  status: (typeof USER_STATES)[number];
  /** Null while banned: for good. */
  bannedUntil: Date | null;
  banReason: StandingReason | null;
  /** The ban was set by who may set those that are long or for good, and only they may touch it. */
  longBan: boolean;
}

export interface Ban {
  /** When it ends by itself; null: never. */
  until: Date | null;
  /** Only who may set long bans may touch it. */
  long: boolean;
  reason: StandingReason;
}

/** A user as operators see one. */
export interface ListedUser extends Standing {
  email: string | null;
  handle: string;
  displayName: string;
  createdAt: Date;
}

export interface UsersFilter {
  /** Part of a handle or of a display name, or a whole id. */
  text: string | null;
  /** The text may be a whole email too. */
  byEmail: boolean;
  status: string | null;
  role: string | null;
}
