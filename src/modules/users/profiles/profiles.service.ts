import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { violates } from '../../../platform/database/database-errors.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { DEFAULT_LIMIT } from '../../../platform/http/pagination.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import type { FollowablePersonDto } from '../dto/person.dto.js';
import { usersErrors } from '../users.errors.js';
import { UsersService } from '../users.service.js';
import type { MyProfileDto, PublicProfileDto, SearchQuery, UpdateProfileDto } from './dto/profiles.dto.js';
import { profilesErrors } from './profiles.errors.js';
import {
  type EditableProfile,
  type OwnProfileRow,
  ProfilesRepository,
  type PublicProfileRow,
} from './profiles.repository.js';

/** The best of a search; who is not among them is found by more letters. */
const FOUND_AT_MOST = 200;
const DAY_MS = 86_400_000;

/** What users tell of themselves, and finding them by it. Read from the database each time: a change shows at once. */
@Injectable()
export class ProfilesService {
  constructor(
    private readonly repository: ProfilesRepository,
    private readonly users: UsersService,
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** Throws USER_NOT_FOUND. */
  async getOwn({ userId }: Subject): Promise<MyProfileDto> {
    const row = await this.repository.findOwn(userId);
    if (!row) throw usersErrors.USER_NOT_FOUND({ userId });
    return this.toOwnDto(row);
  }

  /** Throws USER_NOT_FOUND, for who is banned, closing, erased or blocked either way as for nobody. */
  async getPublic(viewerId: string, handle: string): Promise<PublicProfileDto> {
    const row = await this.repository.findPublic(viewerId, handle);
    if (!row) throw usersErrors.USER_NOT_FOUND({ handle });
    return toPublicDto(row, viewerId);
  }

  async search({ userId }: Subject, query: SearchQuery): Promise<Listed<FollowablePersonDto>> {
    const [page, limit] = [query.page ?? 1, query.limit ?? DEFAULT_LIMIT];
    const { people, total } = await this.repository.search(userId, query.q.replace(/^@/, ''), {
      cap: FOUND_AT_MOST,
      offset: (page - 1) * limit,
      limit,
    });
    return new Listed(people, { page, limit, total });
  }

  /** Throws HANDLE_TAKEN, HANDLE_RESERVED, HANDLE_CHANGED_RECENTLY, SPORT_UNKNOWN; VALIDATION_FAILED for no change at all. */
  async update(subject: Subject, changes: UpdateProfileDto): Promise<MyProfileDto> {
    if (Object.keys(changes).length === 0)
      throw httpErrors.VALIDATION_FAILED({ problem: 'name at least one field to change' });
    this.requireKnownSports(changes.favouriteSports ?? []);
    await this.unitOfWork.run(async (manager) => {
      const before = await this.repository.lock(manager, subject.userId);
      if (!before) throw usersErrors.USER_NOT_FOUND({ userId: subject.userId });
      const after = changed(before, changes);
      if (after.handle.toLowerCase() !== before.handle.toLowerCase())
        after.handleChangedAt = await this.giveUpHandle(manager, subject, before, after.handle);
      await this.rename(manager, subject.userId, before, after);
      await this.repository.save(manager, subject.userId, after);
    });
    return await this.getOwn(subject);
  }

  /** Keeps the old handle for its owner, so that links to it lead to nobody else; answers the time of the change. */
  private async giveUpHandle(
    manager: EntityManager,
    { userId, role }: Subject,
    before: EditableProfile,
    handle: string,
  ): Promise<Date> {
    const now = this.clock.now();
    const changeableAt = this.changeableAt(before.handleChangedAt);
    if (changeableAt) throw profilesErrors.HANDLE_CHANGED_RECENTLY({ changeableAt, field: 'handle' });
    if (role !== 'admin') this.users.requireUnreserved(handle);
    const until = new Date(now.getTime() + this.rules.people.handleDays * DAY_MS);
    await this.repository.reserve(manager, before.handle, userId, until);
    await this.audit.record(manager, {
      actorId: userId,
      action: 'users.handle-changed',
      subjectType: 'user',
      subjectId: userId,
      details: {},
    });
    return now;
  }

  private async rename(
    manager: EntityManager,
    userId: string,
    before: EditableProfile,
    { handle, displayName }: EditableProfile,
  ): Promise<void> {
    if (handle === before.handle && displayName === before.displayName) return;
    try {
      await this.repository.rename(manager, userId, handle, displayName);
    } catch (error) {
      if (violates(error, 'ux_users_handle'))
        throw usersErrors.HANDLE_TAKEN({ field: 'handle' }, { cause: error });
      throw error;
    }
  }

  /** Null: at any time. */
  private changeableAt(changedAt: Date | null): string | null {
    if (!changedAt) return null;
    const at = new Date(changedAt.getTime() + this.rules.people.handleDays * DAY_MS);
    return at > this.clock.now() ? at.toISOString() : null;
  }

  private requireKnownSports(sports: readonly string[]): void {
    const known = Object.keys(this.rules.sports.names);
    const unknown = sports.filter((sport) => !known.includes(sport));
    if (unknown.length > 0) throw profilesErrors.SPORT_UNKNOWN({ field: 'favouriteSports', unknown, known });
  }

  private toOwnDto({ handleChangedAt, createdAt, closingAt, ...rest }: OwnProfileRow): MyProfileDto {
    return {
      ...rest,
      createdAt: createdAt.toISOString(),
      closingAt: closingAt?.toISOString() ?? null,
      handleChangeableAt: this.changeableAt(handleChangedAt),
    };
  }
}

/** What is absent stays; null takes away. */
function changed(before: EditableProfile, changes: UpdateProfileDto): EditableProfile {
  const { handle, displayName, bio, avatarUrl, country, favouriteSports } = changes;
  return {
    ...before,
    ...(handle === undefined ? {} : { handle }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(bio === undefined ? {} : { bio }),
    ...(avatarUrl === undefined ? {} : { avatarUrl }),
    ...(country === undefined ? {} : { country }),
    ...(favouriteSports === undefined ? {} : { favouriteSports }),
  };
}

function toPublicDto(row: PublicProfileRow, viewerId: string): PublicProfileDto {
  const { following, followedBy, muted, contactId, contactStatus, contactRequesterId, ...profile } = row;
  const asked = contactRequesterId === viewerId ? 'outgoing' : 'incoming';
  const contact = contactStatus === 'pending' ? asked : (contactStatus ?? 'none');
  return {
    ...profile,
    createdAt: row.createdAt.toISOString(),
    relationship: { following, followedBy, muted, contact, contactId },
  };
}
