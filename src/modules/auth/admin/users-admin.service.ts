import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { mayDo } from '../../../platform/security/permissions.js';
import type { Subject } from '../../../platform/security/subject.js';
import { StandingService } from '../../users/standing/standing.service.js';
import type { ListedUser } from '../../users/standing/standing.types.js';
import { RecentProofService } from '../sessions/recent-proof.service.js';
import type { StandingChange } from './domain/say.js';
import type { AdminUserDto, UpdateUserDto, UsersQuery } from './dto/users-admin.dto.js';
import { StandingChangesService } from './standing-changes.service.js';

/** The users as operators find them, and what operators change of them. */
@Injectable()
export class UsersAdminService {
  constructor(
    private readonly standing: StandingService,
    private readonly changes: StandingChangesService,
    private readonly proofs: RecentProofService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async list(subject: Subject, query: UsersQuery): Promise<Listed<AdminUserDto>> {
    const seesEmail = mayDo(subject.role, 'users.contact');
    const { q, status, role } = query;
    const filter = { text: q ?? null, byEmail: seesEmail, status: status ?? null, role: role ?? null };
    return await this.standing.list(filter, query, (user) => toDto(user, seesEmail));
  }

  /**
   * Changes a role, bans or lifts a ban; what is as it was already stays so, sessions too. Throws PROOF_TOO_OLD of the
   * operator's own session, and what StandingChangesService throws.
   */
  async update(subject: Subject, id: string, body: UpdateUserDto): Promise<AdminUserDto> {
    const change = readChange(body);
    await this.proofs.require(subject);
    await this.unitOfWork.run(async (manager) => {
      const parties = await this.changes.begin(manager, subject, id, { bans: body.status === 'banned' });
      await this.changes.apply(manager, parties, change, body.reason);
    });
    return toDto(await this.standing.get(id), mayDo(subject.role, 'users.contact'));
  }
}

/** Throws VALIDATION_FAILED when the fields do not go together. */
function readChange({ role, status, bannedUntil }: UpdateUserDto): StandingChange {
  if (role === undefined && status === undefined)
    throw httpErrors.VALIDATION_FAILED({ problem: 'say a role or a status to change to' });
  if (bannedUntil !== undefined && status !== 'banned')
    throw httpErrors.VALIDATION_FAILED({ problem: 'bannedUntil goes with the status banned' });
  const until = bannedUntil === undefined ? null : new Date(bannedUntil);
  return {
    ...(role === undefined ? {} : { role }),
    ...(status === undefined ? {} : { ban: status === 'banned' ? { until } : 'lift' }),
  };
}

function toDto(user: ListedUser, seesEmail: boolean): AdminUserDto {
  const { id, email, handle, displayName, role, status, bannedUntil, banReason, createdAt } = user;
  return {
    id,
    email: seesEmail ? email : null,
    handle,
    displayName,
    role,
    status,
    bannedUntil: bannedUntil?.toISOString() ?? null,
    banReason,
    createdAt: createdAt.toISOString(),
  };
}
