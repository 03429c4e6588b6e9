import type { Role } from '../../platform/security/subject.js';

/** A user as other modules see one. */
export interface UserProfile {
  id: string;
  email: string;
  handle: string;
  displayName: string;
  /** Calendar day, YYYY-MM-DD. */
  birthDate: string;
  role: Role;
  status: 'active' | 'banned';
  termsVersion: string;
  createdAt: Date;
}

export interface NewUser {
  id: string;
  email: string;
  handle: string;
  displayName: string;
  birthDate: string;
  termsVersion: string;
  role: Role;
}
