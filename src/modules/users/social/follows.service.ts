import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Listed } from '../../../platform/http/answers.js';
import { cursorPage, type CursorQuery, DEFAULT_LIMIT } from '../../../platform/http/pagination.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import type { FollowablePersonDto } from '../dto/person.dto.js';
import { ProfilesService } from '../profiles/profiles.service.js';
import { userFollowed } from '../users.events.js';
import type { FollowDto } from './dto/social.dto.js';
import { type FollowRow, FollowsRepository } from './follows.repository.js';
import { positionOf } from './list-position.js';
import { RelationsService } from './relations.service.js';

/** Following, and who follows whom. Doing it twice does it once. */
@Injectable()
export class FollowsService {
  constructor(
    private readonly repository: FollowsRepository,
    private readonly relations: RelationsService,
    private readonly profiles: ProfilesService,
    private readonly unitOfWork: UnitOfWork,
    private readonly outbox: OutboxService,
    private readonly clock: Clock,
  ) {}

  /** Throws YOURSELF, USER_NOT_FOUND. */
  async follow({ userId }: Subject, followeeId: string): Promise<FollowDto> {
    return await this.unitOfWork.run(async (manager) => {
      await this.relations.meet(manager, userId, followeeId);
      const isNew = await this.repository.insert(manager, userId, followeeId, this.clock.now());
      if (isNew) await this.outbox.publish(manager, userFollowed, { followerId: userId, followeeId });
      return { following: true, followersCount: await this.repository.countFollowers(manager, followeeId) };
    });
  }

  /** Throws YOURSELF, USER_NOT_FOUND. */
  async unfollow({ userId }: Subject, followeeId: string): Promise<FollowDto> {
    return await this.unitOfWork.run(async (manager) => {
      await this.relations.hold(manager, userId, followeeId);
      await this.repository.delete(manager, userId, followeeId);
      return { following: false, followersCount: await this.repository.countFollowers(manager, followeeId) };
    });
  }

  /** Newest first. Throws USER_NOT_FOUND, INVALID_CURSOR. */
  async followers(
    { userId }: Subject,
    handle: string,
    query: CursorQuery,
  ): Promise<Listed<FollowablePersonDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const before = positionOf(query.cursor);
    const { id } = await this.profiles.getPublic(userId, handle);
    return toPage(await this.repository.followersOf(userId, id, before, limit + 1), limit);
  }

  /** Newest first. Throws USER_NOT_FOUND, INVALID_CURSOR. */
  async following(
    { userId }: Subject,
    handle: string,
    query: CursorQuery,
  ): Promise<Listed<FollowablePersonDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const before = positionOf(query.cursor);
    const { id } = await this.profiles.getPublic(userId, handle);
    return toPage(await this.repository.followingOf(userId, id, before, limit + 1), limit);
  }
}

function toPage(rows: FollowRow[], limit: number): Listed<FollowablePersonDto> {
  return cursorPage(
    rows,
    limit,
    (row) => [row.at.getTime(), row.id],
    ({ at: _, ...person }) => person,
  );
}
