import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Listed } from '../../../platform/http/answers.js';
import { cursorPage, type CursorQuery, DEFAULT_LIMIT } from '../../../platform/http/pagination.js';
import type { Subject } from '../../../platform/security/subject.js';
import { ContactsRepository } from '../contacts/contacts.repository.js';
import { contactMachine } from '../domain/contact-machine.js';
import type { PersonDto } from '../dto/person.dto.js';
import { type BlockRow, BlocksRepository } from './blocks.repository.js';
import { FollowsRepository } from './follows.repository.js';
import { positionOf } from './list-position.js';
import { RelationsService } from './relations.service.js';

/** Blocking hides two people from each other; muting hides one from the other, who is not told. */
@Injectable()
export class BlocksService {
  constructor(
    private readonly repository: BlocksRepository,
    private readonly follows: FollowsRepository,
    private readonly contacts: ContactsRepository,
    private readonly relations: RelationsService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Ends the follows of the two, both ways, and their contact; a request that was declined stays declined, or blocking for a
   * moment would let its author ask again. Throws YOURSELF, USER_NOT_FOUND.
   */
  async block({ userId }: Subject, otherId: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      await this.relations.hold(manager, userId, otherId);
      await this.repository.block(manager, userId, otherId, this.clock.now());
      await this.follows.delete(manager, userId, otherId);
      await this.follows.delete(manager, otherId, userId);
      await this.contacts.removeOfPair(manager, userId, otherId, contactMachine.from('remove'));
    });
  }

  /** Brings nothing back. Throws YOURSELF, USER_NOT_FOUND. */
  async unblock({ userId }: Subject, otherId: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      await this.relations.hold(manager, userId, otherId);
      await this.repository.unblock(manager, userId, otherId);
    });
  }

  /** Throws YOURSELF, USER_NOT_FOUND. */
  async mute({ userId }: Subject, otherId: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      await this.relations.meet(manager, userId, otherId);
      await this.repository.mute(manager, userId, otherId, this.clock.now());
    });
  }

  /** Throws YOURSELF, USER_NOT_FOUND. */
  async unmute({ userId }: Subject, otherId: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      await this.relations.hold(manager, userId, otherId);
      await this.repository.unmute(manager, userId, otherId);
    });
  }

  /** Newest first. Throws INVALID_CURSOR. */
  async blocked({ userId }: Subject, query: CursorQuery): Promise<Listed<PersonDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    return toPage(await this.repository.blockedBy(userId, positionOf(query.cursor), limit + 1), limit);
  }

  /** Newest first. Throws INVALID_CURSOR. */
  async muted({ userId }: Subject, query: CursorQuery): Promise<Listed<PersonDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    return toPage(await this.repository.mutedBy(userId, positionOf(query.cursor), limit + 1), limit);
  }
}

function toPage(rows: BlockRow[], limit: number): Listed<PersonDto> {
  return cursorPage(
    rows,
    limit,
    (row) => [row.at.getTime(), row.id],
    ({ at: _, ...person }) => person,
  );
}
