import type { IncomingMessage } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Rules } from '../../../platform/config/rules.js';
import { PlacesService } from '../../../platform/geo/places.service.js';
import type { SocketAccess, Handshake } from '../../../platform/realtime/socket-access.port.js';
import { HOLDING, SocketAccessPort } from '../../../platform/realtime/socket-access.port.js';
import { DpopProofs } from '../../../platform/security/dpop-proofs.js';
import type { Declaration } from '../../../platform/security/operates.decorator.js';
import type { Subject } from '../../../platform/security/subject.js';
import { PolicyService } from '../../compliance/policy.service.js';
import { AccessTokensService } from '../access-tokens.service.js';
import { authErrors } from '../auth.errors.js';
import { SessionCache } from '../session-cache.js';
import { type LiveSession, SessionsService, subjectOf } from '../sessions.service.js';

/** The path that a proof for a socket names as its `htu`; its `htm` is GET, the method of the upgrade. */
const SOCKET_PATH = '/socket.io/';
/** What another process noted of its use is written within a minute. */
const IDLE_GRACE_SECONDS = 60;

/**
 * Lets a socket in by an access token in its handshake (`auth: { token }`), under the rules of the AuthGuard: a live session,
 * and for a bound one a DPoP proof, as `auth.proof` where the client cannot set headers. Holding a socket is no activity.
 */
@Injectable()
export class SocketAccessService implements SocketAccess, OnModuleInit {
  constructor(
    private readonly port: SocketAccessPort,
    private readonly tokens: AccessTokensService,
    private readonly proofs: DpopProofs,
    private readonly sessions: SessionsService,
    private readonly cache: SessionCache,
    private readonly policy: PolicyService,
    private readonly places: PlacesService,
    private readonly rules: Rules,
  ) {}

  onModuleInit(): void {
    this.port.register(this);
  }

  get endedChannel(): string {
    return this.cache.endedChannel;
  }

  /** Throws UNAUTHENTICATED, TOKEN_EXPIRED, DPOP_PROOF_INVALID, SESSION_ENDED. */
  async admit({ auth, request }: Handshake): Promise<Subject> {
    const { token, proof } = auth;
    if (typeof token !== 'string') throw authErrors.UNAUTHENTICATED({ field: 'auth.token' });
    const claims = await this.tokens.verify(token);
    if (claims.jkt !== null) {
      const headers = { ...request.headers, dpop: proof ?? request.headers['dpop'] };
      const shown = await this.proofs.read(
        { method: 'GET', protocol: 'http', host: headers.host ?? '', originalUrl: SOCKET_PATH, headers },
        token,
      );
      if (shown.jkt !== claims.jkt) throw authErrors.UNAUTHENTICATED({ problem: 'key' });
      await this.proofs.useOnce(shown);
    }
    const session = await this.sessions.find(claims.sessionId, false);
    if (session?.userId !== claims.userId || session.jkt !== claims.jkt) throw this.ended();
    const { sessionId } = claims;
    if (session.idle && (await this.ends(sessionId, session, 0))) throw this.ended();
    return subjectOf(sessionId, session);
  }

  /** Throws GEO_BLOCKED, SELF_EXCLUDED. */
  async requirePlay(subject: Subject, request: IncomingMessage): Promise<void> {
    const bars = await this.policy.barsOf(subject.userId);
    this.policy.require(subject, HOLDING, this.places.placeOf(request), bars);
  }

  /** What bars them has ended their sockets, so it is not looked up. */
  require(subject: Subject, request: IncomingMessage, asked: Declaration): void {
    this.policy.require(subject, asked, this.places.placeOf(request));
  }

  mayStay(subject: Subject, request: IncomingMessage): boolean {
    const place = this.places.placeOf(request);
    return this.policy.judge({ ...subject, bars: [] }, HOLDING, place) === null;
  }

  async lives(sessionId: string): Promise<boolean> {
    const session = await this.sessions.find(sessionId, false);
    if (session === null) return false;
    return !session.idle || !(await this.ends(sessionId, session, IDLE_GRACE_SECONDS));
  }

  ended(): Error {
    return authErrors.SESSION_ENDED();
  }

  /** Ends an idle session where that is the rule; whether it has ended. */
  private async ends(sessionId: string, { endsIdle }: LiveSession, graceSeconds: number): Promise<boolean> {
    const ends = endsIdle || this.rules.auth.idle.policy === 'end';
    return ends && (await this.sessions.endIdle(sessionId, graceSeconds));
  }
}
