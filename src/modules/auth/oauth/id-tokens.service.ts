import { Injectable } from '@nestjs/common';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { DomainError } from '../../../platform/http/domain-error.js';
import { type OAuthProvider, TOLERANCE_SECONDS } from './oauth-provider.js';
import { oauthErrors } from './oauth.errors.js';
import type { ProviderIdentity, ProviderName } from './oauth.types.js';
import { identityOf, isStorable } from './provider-claims.js';
import { equalTexts, sha256 } from './secrets.js';

const ALGORITHMS = ['RS256', 'ES256'];
const SHA256_HEX = /^[0-9a-f]{64}$/;
const MAX_SUBJECT = 255;

export interface VerifiedIdToken {
  readonly identity: ProviderIdentity;
  /** Of what is signed: the same token cannot be written in a way that hashes to something else. */
  readonly hash: Buffer;
  /** When it will be refused as too old, by the Clock. */
  readonly expiresAt: Date;
}

/** Checks ID tokens, of browsers and of apps alike: signature, issuer, audience, nonce, age. */
@Injectable()
export class IdTokensService {
  constructor(
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** Throws ID_TOKEN_INVALID with `details.problem`, or SERVICE_UNAVAILABLE when the provider's keys cannot be fetched. */
  async verify(provider: OAuthProvider, token: string, nonce: string): Promise<VerifiedIdToken> {
    const claims = await this.claimsOf(provider, token);
    const { name, audiences } = provider.settings;
    // A token for several is taken only from one of ours (OpenID Connect Core 3.1.3.7).
    if (Array.isArray(claims.aud) && claims.aud.length > 1 && !audiences.includes(String(claims['azp'])))
      throw oauthErrors.ID_TOKEN_INVALID({ problem: 'audience' });
    if (!bears(claims, nonce, name)) throw oauthErrors.ID_TOKEN_INVALID({ problem: 'nonce' });
    const { sub } = claims;
    if (sub === '' || sub.length > MAX_SUBJECT || !isStorable(sub))
      throw oauthErrors.ID_TOKEN_INVALID({ problem: 'subject' });
    const lastSecond = Math.min(claims.exp, claims.iat + this.rules.auth.oauth.idTokenSeconds);
    return {
      identity: identityOf(name, claims),
      hash: sha256(token.slice(0, token.lastIndexOf('.'))),
      expiresAt: new Date((lastSecond + TOLERANCE_SECONDS) * 1000),
    };
  }

  private async claimsOf(
    provider: OAuthProvider,
    token: string,
  ): Promise<JWTPayload & { sub: string; iat: number; exp: number }> {
    const { issuers, audiences } = provider.settings;
    try {
      const { payload } = await jwtVerify(token, provider.keyOf, {
        algorithms: ALGORITHMS,
        issuer: [...issuers],
        audience: [...audiences],
        requiredClaims: ['sub', 'iat', 'exp', 'nonce'],
        maxTokenAge: this.rules.auth.oauth.idTokenSeconds,
        clockTolerance: TOLERANCE_SECONDS,
        currentDate: this.clock.now(),
      });
      const { sub, iat, exp } = payload;
      if (typeof sub !== 'string' || typeof iat !== 'number' || typeof exp !== 'number')
        throw oauthErrors.ID_TOKEN_INVALID({ problem: 'claims' });
      return { ...payload, sub, iat, exp };
    } catch (error) {
      if (error instanceof DomainError) throw error;
      throw oauthErrors.ID_TOKEN_INVALID({ problem: problemOf(error) }, { cause: error });
    }
  }
}

/**
 * Whether the token was made for this nonce: for itself, or for its SHA-256. Apps give Apple the hash, so that who only sees
 * the token cannot name the nonce; what looks like such a hash is therefore not taken for the nonce itself.
 */
function bears({ nonce: claimed }: JWTPayload, nonce: string, provider: ProviderName): boolean {
  if (typeof claimed !== 'string') return false;
  const mayBeHash = provider === 'apple' && SHA256_HEX.test(nonce);
  return (!mayBeHash && equalTexts(claimed, nonce)) || equalTexts(claimed, sha256(nonce).toString('hex'));
}

const PROBLEMS: Record<string, string> = { aud: 'audience', iss: 'issuer', nonce: 'nonce', iat: 'expired' };

function problemOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return PROBLEMS[error.claim] ?? 'claims';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed)
    return 'signature';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm';
  return 'form';
}
