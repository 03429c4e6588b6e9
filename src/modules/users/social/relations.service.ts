import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { usersErrors } from '../users.errors.js';
import { RelationsRepository } from './relations.repository.js';
import { socialErrors } from './social.errors.js';

/** What stands between two people, for whoever shows one to the other. In SQL its face is `users_blocked(a, b)`. */
@Injectable()
export class RelationsService {
  constructor(private readonly repository: RelationsRepository) {}

  /** Those of the ids whom the viewer must not be shown, nor they the viewer: either has blocked the other. */
  async hiddenFrom(viewerId: string, ids: readonly string[]): Promise<Set<string>> {
    return new Set(await this.repository.blockedEitherWay(viewerId, ids));
  }

  /** Those of the ids of whom the viewer does not want to hear; they are not told. */
  async mutedBy(viewerId: string, ids: readonly string[]): Promise<Set<string>> {
    return new Set(await this.repository.mutedBy(viewerId, ids));
  }

  /**
   * Holds the pair until the transaction ends, so that nothing else changes between the two. Throws YOURSELF, and
   * USER_NOT_FOUND when there is no such user, whether or not they may be seen.
   */
  async hold(manager: EntityManager, userId: string, otherId: string): Promise<void> {
    if (userId === otherId) throw socialErrors.YOURSELF({ userId });
    if (!(await this.repository.lockPair(manager, userId, otherId)))
      throw usersErrors.USER_NOT_FOUND({ userId: otherId });
  }

  /** As `hold`, and throws USER_NOT_FOUND as well when the user may not see the other. */
  async meet(manager: EntityManager, userId: string, otherId: string): Promise<void> {
    if (!(await this.meets(manager, userId, otherId))) throw usersErrors.USER_NOT_FOUND({ userId: otherId });
  }

  /** As `hold`, and whether the user may see the other. */
  async meets(manager: EntityManager, userId: string, otherId: string): Promise<boolean> {
    await this.hold(manager, userId, otherId);
    return await this.repository.isVisible(manager, userId, otherId);
  }
}
