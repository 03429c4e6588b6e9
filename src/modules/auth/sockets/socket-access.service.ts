import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { SocketAccess, Handshake } from '../../../platform/realtime/socket-access.port.js';
import { SocketAccessPort } from '../../../platform/realtime/socket-access.port.js';
import { DpopProofs } from '../../../platform/security/dpop-proofs.js';
import type { Subject } from '../../../platform/security/subject.js';
import { AccessTokensService } from '../access-tokens.service.js';
import { authErrors } from '../auth.errors.js';
import { SessionCache } from '../session-cache.js';
import { SessionsService } from '../sessions.service.js';

/** The path that a proof for a socket names as its `htu`; its `htm` is GET, the method of the upgrade. */
const SOCKET_PATH = '/socket.io/';

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
    const { userId, sessionId } = claims;
    return { userId, sessionId, role: session.role };
  }

  async lives(sessionId: string): Promise<boolean> {
    return (await this.sessions.find(sessionId, false)) !== null;
  }

  ended(): Error {
    return authErrors.SESSION_ENDED();
  }
}
