import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Caller } from '../../platform/http/caller.decorator.js';
import type { UserProfile } from '../users/users.types.js';
import { authErrors } from './auth.errors.js';
import type { AccountDto, SignedInDto } from './dto/auth.dto.js';
import { SessionsService } from './sessions.service.js';
import type { Proof } from './sign-in.types.js';

/**
 * Where every way in ends, once it has proved who asks: it refuses whom the operator banned and opens the session. No way in
 * opens a session by itself, so that what holds for all of them stands here.
 */
@Injectable()
export class SignInService {
  constructor(private readonly sessions: SessionsService) {}

  /** Joins the caller's transaction. Throws BANNED. */
  async complete(
    manager: EntityManager,
    user: UserProfile,
    proof: Proof,
    caller: Caller,
  ): Promise<SignedInDto> {
    if (user.status !== 'active') throw authErrors.BANNED();
    const tokens = await this.sessions.open(manager, user, proof, caller);
    return { ...tokens, user: toAccount(user) };
  }
}

function toAccount({ id, email, handle, displayName, role }: UserProfile): AccountDto {
  return { id, email, handle, displayName, role };
}
