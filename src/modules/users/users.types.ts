import type { Role } from '../../platform/security/subject.js';
import type { StandingReason } from './standing/standing.types.js';

/** A user as other modules see one. */
export interface UserProfile {
  id: string;
  /** Null for who registered without one. */
  email: string | null;
  emailVerified: boolean;
  handle: string;
  displayName: string;
  /** Calendar day, YYYY-MM-DD. */
  birthDate: string;
  /** When others than the user have shown it to be true; null: it was only declared. */
  ageVerifiedAt: Date | null;
  role: Role;
  status: 'active' | 'banned' | 'erased';
  /** Null while banned: for good. */
  bannedUntil: Date | null;
  banReason: StandingReason | null;
  /** When personal data is to be erased, for who closes the account. */
  closingAt: Date | null;
  termsVersion: string;
  createdAt: Date;
}

export interface NewUser {
  id: string;
  email: string | null;
  emailVerified: boolean;
  handle: string;
  displayName: string;
  birthDate: string;
  termsVersion: string;
  role: Role;
}
