import { Injectable } from '@nestjs/common';
import { errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { permissionsOf } from '../../platform/security/permissions.js';
import type { Role } from '../../platform/security/subject.js';
import { authErrors } from './auth.errors.js';
import { SigningKeys } from './sessions/signing-keys.js';

const ISSUER = 'parley';
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** Of a signature's end: enough to tell tokens apart, and a tenth of what hashing all of one costs. */
const TAIL = 32;

/** What a verified access token says. Role and permissions are not believed from here: the live session tells them. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  /** Thumbprint of the key that the token is bound to (`cnf`, RFC 9449). */
  readonly jkt: string | null;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Signs and verifies access tokens (JWT, EdDSA or ES256, 15 minutes). A token that was verified once is remembered, and
 * compared by its whole text, so that its signature is computed once and not at every request; its expiry is checked every time.
 */
@Injectable()
export class AccessTokensService {
  private readonly verified = new LRUCache<string, { token: string; claims: AccessClaims }>({ max: 20_000 });

  constructor(
    private readonly keys: SigningKeys,
    private readonly rules: Rules,
    private readonly clock: Clock,
  ) {}

  async sign(userId: string, sessionId: string, role: Role, jkt: string | null = null): Promise<string> {
    const issuedAt = this.nowSeconds();
    return this.keys.sign({
      sid: sessionId,
      role,
      permissions: permissionsOf(role),
      ...(jkt === null ? {} : { cnf: { jkt } }),
      iss: ISSUER,
      sub: userId,
      iat: issuedAt,
      exp: issuedAt + this.rules.auth.accessTokenSeconds,
    });
  }

  /** Throws TOKEN_EXPIRED or UNAUTHENTICATED. A promise only for a token that is seen for the first time. */
  verify(token: string): AccessClaims | Promise<AccessClaims> {
    const known = this.verified.get(token.slice(-TAIL));
    if (known?.token !== token) return this.verifySignature(token);
    const { claims } = known;
    if (claims.expiresAt <= this.nowSeconds()) throw authErrors.TOKEN_EXPIRED();
    return claims;
  }

  private async verifySignature(token: string): Promise<AccessClaims> {
    if (!COMPACT.test(token)) throw authErrors.UNAUTHENTICATED();
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid, alg }) => {
          const key = this.keys.find(kid);
          // The key says how it signs; a token does not choose.
          if (key === undefined || key.alg !== alg) throw new errors.JWKSNoMatchingKey();
          return key.publicKey;
        },
        {
          algorithms: ['EdDSA', 'ES256'],
          issuer: ISSUER,
          typ: 'at+jwt',
          requiredClaims: ['sub', 'sid', 'exp'],
          currentDate: this.clock.now(),
        },
      );
      const { jkt = null } = (payload['cnf'] ?? {}) as { jkt?: string };
      const claims = {
        userId: String(payload.sub),
        sessionId: String(payload['sid']),
        jkt,
        expiresAt: Number(payload.exp),
      };
      this.verified.set(token.slice(-TAIL), { token, claims });
      return claims;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw authErrors.TOKEN_EXPIRED({}, { cause: error });
      throw authErrors.UNAUTHENTICATED({}, { cause: error });
    }
  }

  private nowSeconds(): number {
    return Math.floor(this.clock.now().getTime() / 1000);
  }
}
