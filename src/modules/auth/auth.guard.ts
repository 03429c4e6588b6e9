import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PUBLIC } from '../../platform/security/public.decorator.js';
import type { SubjectRequest } from '../../platform/security/subject.js';
import { TierCounts } from '../../platform/security/tier-counts.js';
import { AccessTokensService } from './access-tokens.service.js';
import { authErrors } from './auth.errors.js';
import { SessionsService } from './sessions.service.js';

const BEARER = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/;

/** Lets a request in when its token is good and its session lives. Routes that anyone may call say so by `@Public`. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: AccessTokensService,
    private readonly sessions: SessionsService,
    private readonly counts: TierCounts,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.reflector.getAllAndOverride(PUBLIC, [context.getHandler(), context.getClass()]) !== undefined)
      return true;
    const request = context.switchToHttp().getRequest<SubjectRequest>();
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw authErrors.UNAUTHENTICATED();
    const claims = await this.tokens.verify(token);
    this.counts.begin(request, claims.userId);
    const session = await this.sessions.find(claims.sessionId);
    if (session?.userId !== claims.userId) throw authErrors.SESSION_ENDED();
    request.subject = { userId: claims.userId, sessionId: claims.sessionId, role: session.role };
    return true;
  }
}
