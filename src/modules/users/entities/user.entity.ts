import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../../../platform/security/subject.js';
import type { StandingReason } from '../standing/standing.types.js';

@Entity('users')
export class User {
  @PrimaryColumn('uuid')
  id: string;

  @Column('text', { nullable: true })
  email: string | null;

  @Column('timestamptz', { name: 'email_verified_at', nullable: true })
  emailVerifiedAt: Date | null;

  @Column('text')
  handle: string;

  @Column('text', { name: 'display_name' })
  displayName: string;

  /** Calendar day, YYYY-MM-DD. */
  @Column('date', { name: 'birth_date' })
  birthDate: string;

  /** When others than the user have shown it to be true. */
  @Column('timestamptz', { name: 'age_verified_at', nullable: true })
  ageVerifiedAt: Date | null;

  @Column('text', { default: 'user' })
  role: Role;

  @Column('text', { default: 'active' })
  status: 'active' | 'banned' | 'erased';

  /** Null while banned: for good. */
  @Column('timestamptz', { name: 'banned_until', nullable: true })
  bannedUntil: Date | null;

  @Column('text', { name: 'ban_reason', nullable: true })
  banReason: StandingReason | null;

  /** It took `users.ban` to set the ban, as it does to lift it. */
  @Column('boolean', { name: 'long_ban', default: false })
  longBan: boolean;

  /** When personal data is to be erased; null when the user stays. */
  @Column('timestamptz', { name: 'closing_at', nullable: true })
  closingAt: Date | null;

  /** When the user was last told that somebody tried to open another account with their address. */
  @Column('timestamptz', { name: 'address_tried_at', nullable: true })
  addressTriedAt: Date | null;

  @Column('text', { name: 'terms_version' })
  termsVersion: string;

  @Column('timestamptz', { name: 'terms_accepted_at' })
  termsAcceptedAt: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
