import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Rules } from '../../platform/config/rules.js';
import { HandlerMetadata } from '../../platform/http/handler-metadata.js';
import { type DpopProof, DpopProofs } from '../../platform/security/dpop-proofs.js';
import { EarlyAsks } from '../../platform/security/early-asks.js';
import { ALLOWED_WHEN_IDLE, PASSIVE } from '../../platform/security/idle.decorators.js';
import { PUBLIC } from '../../platform/security/public.decorator.js';
import type { SubjectRequest } from '../../platform/security/subject.js';
import { TierCounts } from '../../platform/security/tier-counts.js';
import { type AccessClaims, AccessTokensService } from './access-tokens.service.js';
import { authErrors } from './auth.errors.js';
import { type LiveSession, SessionsService, subjectOf } from './sessions.service.js';

const BEARER = 'Bearer ';
const DPOP = 'DPoP ';

/**
 * Lets a request in when its token is good, the key is shown that the token is bound to, and its session lives and is not
 * idle. Routes that anyone may call say so by `@Public`. All that Redis is asked travels in one packet.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly open = new HandlerMetadata<string>(PUBLIC);
  private readonly passive = new HandlerMetadata<true>(PASSIVE);
  private readonly allowedWhenIdle = new HandlerMetadata<string>(ALLOWED_WHEN_IDLE);

  constructor(
    private readonly tokens: AccessTokensService,
    private readonly proofs: DpopProofs,
    private readonly sessions: SessionsService,
    private readonly counts: TierCounts,
    private readonly rules: Rules,
    private readonly early: EarlyAsks,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.open.of(context) !== undefined) return true;
    const request = context.switchToHttp().getRequest<SubjectRequest>();
    const header = request.headers.authorization ?? '';
    const bound = header.startsWith(DPOP);
    const token = header.slice(bound ? DPOP.length : BEARER.length);
    if ((!bound && !header.startsWith(BEARER)) || token === '') throw authErrors.UNAUTHENTICATED();
    const verified = this.tokens.verify(token);
    const claims = verified instanceof Promise ? await verified : verified;
    const proof = bound ? await this.proofs.read(request, token) : null;
    // A bound token as Bearer, one that is not as DPoP, or the key of somebody else.
    if (claims.jkt !== (proof && proof.jkt)) throw authErrors.UNAUTHENTICATED({ problem: 'key' });
    this.counts.begin(request, claims.userId);
    this.early.begin(context, claims.userId);
    let session: LiveSession;
    try {
      session = await this.sessionOf(claims, proof, this.passive.of(context) === undefined);
    } catch (error) {
      // Who is not let in spends nothing: else whoever has a token of an ended session would keep its owner out.
      await this.counts.giveBack(request, claims.userId);
      throw error;
    }
    if (session.idle) await this.refuseIdle(context, request, claims.sessionId, session);
    if (proof) request.jkt = proof.jkt;
    request.subject = subjectOf(claims.sessionId, session);
    return true;
  }

  private async sessionOf(
    { sessionId, userId, jkt }: AccessClaims,
    proof: DpopProof | null,
    active: boolean,
  ): Promise<LiveSession> {
    const looking = this.sessions.find(sessionId, active);
    const found = proof ? (await Promise.all([looking, this.proofs.useOnce(proof)]))[0] : await looking;
    if (found?.userId !== userId) throw authErrors.SESSION_ENDED();
    if (found.jkt === jkt) return found;
    // Bound since Redis was told; or a token from before it was.
    const session = await this.sessions.reread(sessionId);
    if (session?.jkt !== jkt) throw authErrors.UNAUTHENTICATED({ problem: 'key' });
    return session;
  }

  /** Redis may have lost the last activity: nobody is refused by what it says alone. */
  private async refuseIdle(
    context: ExecutionContext,
    { method }: SubjectRequest,
    sessionId: string,
    { endsIdle }: LiveSession,
  ): Promise<void> {
    if (endsIdle || this.rules.auth.idle.policy === 'end') {
      if (await this.sessions.endIdle(sessionId)) throw authErrors.SESSION_ENDED();
      return;
    }
    if (method === 'GET' || method === 'HEAD' || this.allowedWhenIdle.of(context) !== undefined) return;
    const session = await this.sessions.reread(sessionId);
    if (session === null) throw authErrors.SESSION_ENDED();
    if (session.idle) throw authErrors.REAUTHENTICATION_REQUIRED();
  }
}
