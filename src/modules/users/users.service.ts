import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { violates } from '../../platform/database/database-errors.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import type { User } from './entities/user.entity.js';
import { usersErrors } from './users.errors.js';
import { userAgeChanged } from './users.events.js';
import { UsersRepository } from './users.repository.js';
import type { NewUser, UserProfile } from './users.types.js';

const DAY_MS = 86_400_000;

@Injectable()
export class UsersService {
  constructor(
    private readonly repository: UsersRepository,
    private readonly outbox: OutboxService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** Throws EMAIL_TAKEN, HANDLE_TAKEN or HANDLE_RESERVED; all are compared without regard to case. */
  async create(manager: EntityManager, user: NewUser): Promise<UserProfile> {
    if (user.role !== 'admin') this.requireUnreserved(user.handle);
    const now = this.clock.now();
    const { emailVerified, ...rest } = user;
    const row: User = {
      ...rest,
      emailVerifiedAt: emailVerified ? now : null,
      ageVerifiedAt: null,
      status: 'active',
      bannedUntil: null,
      banReason: null,
      longBan: false,
      closingAt: null,
      addressTriedAt: null,
      termsAcceptedAt: now,
      createdAt: now,
    };
    try {
      await this.repository.insert(manager, row);
    } catch (error) {
      if (violates(error, 'ux_users_email'))
        throw usersErrors.EMAIL_TAKEN({ field: 'email' }, { cause: error });
      if (violates(error, 'ux_users_handle'))
        throw usersErrors.HANDLE_TAKEN({ field: 'handle' }, { cause: error });
      throw error;
    }
    return toProfile(row);
  }

  async findByEmail(email: string): Promise<UserProfile | null> {
    const user = await this.repository.findByEmail(email);
    return user && toProfile(user);
  }

  async get(id: string): Promise<UserProfile> {
    const user = await this.repository.findById(id);
    if (!user) throw usersErrors.USER_NOT_FOUND({ userId: id });
    return toProfile(user);
  }

  /**
   * The user as they are and stay until the transaction ends: who bans them, changes their role or password or closes their
   * account has committed before this or waits. Of all rows of a user this one is locked first. Who signs in locks it no
   * weaker than who bans: locks that are shared would be handed on from one sign-in to the next, and the ban would starve.
   * Throws USER_NOT_FOUND.
   */
  async lock(manager: EntityManager, id: string): Promise<UserProfile> {
    const user = await this.repository.lock(manager, id);
    if (!user) throw usersErrors.USER_NOT_FOUND({ userId: id });
    return toProfile(user);
  }

  /** The same by email; null when nobody has it. */
  async lockByEmail(manager: EntityManager, email: string): Promise<UserProfile | null> {
    const user = await this.repository.lockByEmail(manager, email);
    return user && toProfile(user);
  }

  /** Throws HANDLE_RESERVED for a word that would pass for the operator's, with underscores or without. */
  requireUnreserved(handle: string): void {
    if (this.rules.auth.reservedHandles.includes(handle.replaceAll('_', '').toLowerCase()))
      throw usersErrors.HANDLE_RESERVED({ field: 'handle' });
  }

  /** Handles by user id, for tables. Ids that are unknown are left out. */
  async handlesOf(ids: string[]): Promise<Map<string, string>> {
    const users = await this.repository.findByIds(ids);
    return new Map(users.map((user) => [user.id, user.handle]));
  }

  /** Notes that somebody tried to open another account with this address; its owner, when they are to be told: once a day. */
  async noteAddressTried(manager: EntityManager, email: string): Promise<string | null> {
    const now = this.clock.now();
    return await this.repository.noteAddressTried(manager, email, now, new Date(now.getTime() - DAY_MS));
  }

  async acceptTerms(manager: EntityManager, id: string, version: string): Promise<void> {
    await this.repository.acceptTerms(manager, id, version, this.clock.now());
  }

  /**
   * Somebody other than the user has seen a document with this birth date, which from now on is theirs, whatever they had declared.
   * The caller has shut their gate: who turns out to be too young stakes nothing more.
   */
  async confirmAge(manager: EntityManager, id: string, birthDate: string): Promise<void> {
    await this.repository.confirmAge(manager, id, birthDate, this.clock.now());
    await this.outbox.publish(manager, userAgeChanged, { userId: id });
  }

  /** What had shown it is worth nothing any more; the date stays. */
  async doubtAge(manager: EntityManager, id: string): Promise<void> {
    await this.repository.doubtAge(manager, id);
    await this.outbox.publish(manager, userAgeChanged, { userId: id });
  }

  /** False when it was verified already. */
  async markEmailVerified(manager: EntityManager, id: string): Promise<boolean> {
    return await this.repository.markEmailVerified(manager, id, this.clock.now());
  }
}

function toProfile(user: User): UserProfile {
  const { id, email, handle, displayName, birthDate, role, status, closingAt, termsVersion, createdAt } =
    user;
  const emailVerified = user.emailVerifiedAt !== null;
  return {
    id,
    email,
    emailVerified,
    handle,
    displayName,
    birthDate,
    ageVerifiedAt: user.ageVerifiedAt,
    role,
    status,
    bannedUntil: user.bannedUntil,
    banReason: user.banReason,
    closingAt,
    termsVersion,
    createdAt,
  };
}
