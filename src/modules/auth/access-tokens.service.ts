import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { errors, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../platform/clock/clock.js';
import { AppConfig } from '../../platform/config/app-config.js';
import { Rules } from '../../platform/config/rules.js';
import { authErrors } from './auth.errors.js';

const ISSUER = 'parley';

/** What a verified access token says. The role is not believed from here: the live session tells it. */
export interface AccessClaims {
  userId: string;
  sessionId: string;
  /** Seconds since the epoch. */
  expiresAt: number;
}

/**
 * Signs and verifies access tokens (JWT, EdDSA, 15 minutes). A token that was verified once is remembered by its whole
 * text, so that its signature is computed once and not at every request; its expiry is checked every time.
 */
@Injectable()
export class AccessTokensService {
  private readonly verified = new LRUCache<string, AccessClaims>({ max: 20_000 });
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;
  private readonly keyId: string;

  constructor(
    config: AppConfig,
    private readonly rules: Rules,
    private readonly clock: Clock,
  ) {
    this.privateKey = createPrivateKey(config.JWT_PRIVATE_KEY);
    if (this.privateKey.asymmetricKeyType !== 'ed25519')
      throw new Error('JWT_PRIVATE_KEY must be an Ed25519 key');
    this.publicKey = createPublicKey(this.privateKey);
    const spki = this.publicKey.export({ type: 'spki', format: 'der' });
    this.keyId = createHash('sha256').update(spki).digest('base64url').slice(0, 16);
  }

  async sign(userId: string, sessionId: string, role: string): Promise<string> {
    const issuedAt = this.nowSeconds();
    return await new SignJWT({ sid: sessionId, role })
      .setProtectedHeader({ alg: 'EdDSA', kid: this.keyId, typ: 'at+jwt' })
      .setIssuer(ISSUER)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + this.rules.auth.accessTokenSeconds)
      .sign(this.privateKey);
  }

  /** Throws TOKEN_EXPIRED or UNAUTHENTICATED. */
  async verify(token: string): Promise<AccessClaims> {
    const claims = this.verified.get(token) ?? (await this.verifySignature(token));
    if (claims.expiresAt <= this.nowSeconds()) throw authErrors.TOKEN_EXPIRED();
    return claims;
  }

  private async verifySignature(token: string): Promise<AccessClaims> {
    try {
      const { payload } = await jwtVerify(token, this.publicKey, {
        algorithms: ['EdDSA'],
        issuer: ISSUER,
        typ: 'at+jwt',
        requiredClaims: ['sub', 'sid', 'exp'],
        currentDate: this.clock.now(),
      });
      const claims = {
        userId: String(payload.sub),
        sessionId: String(payload['sid']),
        expiresAt: Number(payload.exp),
      };
      this.verified.set(token, claims);
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
