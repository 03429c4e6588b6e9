import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { calculateJwkThumbprint, EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { Clock } from '../clock/clock.js';
import { AppConfig } from '../config/app-config.js';
import { Rules } from '../config/rules.js';
import { RedisConnections } from '../redis/redis-connections.js';
import { dpopErrors } from './dpop.errors.js';

const ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519'];
const MAX_LENGTH = 4096;
const MAX_JTI = 512;

/** What a proof is held against: a request, or the upgrade to a socket. */
export type ProvedRequest = Pick<Request, 'method' | 'protocol' | 'host' | 'originalUrl'> & {
  readonly headers: Readonly<Record<string, unknown>>;
};

/** A proof that fits its request. It counts once `useOnce` has taken it. */
export interface DpopProof {
  /** RFC 7638 thumbprint of the key that the sender has. */
  readonly jkt: string;
  /** What tells this proof from every other. */
  readonly id: string;
}

/**
 * Proofs of possession (RFC 9449): a header, signed by the client's key for one request, so that a stolen token is of no
 * use without the key. A proof counts once: Redis knows those of all processes for as long as their time is accepted.
 * While Redis is away each process knows its own only, so a proof that is stolen off the wire in that time could be shown
 * once more to each other process within `dpop.proofSeconds`; to refuse everybody until Redis is back would cost more.
 */
@Injectable()
export class DpopProofs {
  private readonly used: LRUCache<string, true>;
  /** Seconds after which every proof of now is too old, with one to spare. */
  private readonly keepSeconds: number;

  constructor(
    private readonly redis: RedisConnections,
    private readonly clock: Clock,
    private readonly config: AppConfig,
    private readonly rules: Rules,
  ) {
    this.keepSeconds = 2 * rules.auth.dpop.proofSeconds + 1;
    this.used = new LRUCache({ max: 100_000, ttl: this.keepSeconds * 1000 });
  }

  /** The proof that came with the request, made for it and, if one is given, for this access token. Throws DPOP_PROOF_INVALID. */
  async read(request: ProvedRequest, accessToken: string | null): Promise<DpopProof> {
    const header = request.headers['dpop'];
    if (typeof header !== 'string' || header === '') throw refused('missing');
    if (header.length > MAX_LENGTH) throw refused('too long');
    const { payload, protectedHeader } = await jwtVerify(header, EmbeddedJWK, {
      algorithms: ALGORITHMS,
      typ: 'dpop+jwt',
      currentDate: this.clock.now(),
    }).catch((cause: unknown) => {
      throw refused('not a proof', cause);
    });
    this.check(payload, request, accessToken);
    // The signature was verified with this key, so it is there and well-formed.
    const jkt = await calculateJwkThumbprint(protectedHeader.jwk ?? {});
    return { jkt, id: digest(`${jkt}.${payload.jti}`) };
  }

  /** Takes the proof. Throws DPOP_PROOF_INVALID when it was taken before. */
  async useOnce({ id }: DpopProof): Promise<void> {
    if (this.used.has(id)) throw refused('used before');
    this.used.set(id, true);
    if (!this.redis.cacheReady) return;
    const key = `${this.config.REDIS_PREFIX}:dpop:${id}`;
    const taken = await this.redis.cache.set(key, '', 'EX', this.keepSeconds, 'NX').catch(() => 'OK');
    if (taken === null) throw refused('used before');
  }

  private check(payload: JWTPayload, request: ProvedRequest, accessToken: string | null): void {
    const { jti, iat, htm, htu, ath } = payload;
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) throw refused('jti');
    if (htm !== request.method) throw refused('htm');
    if (typeof htu !== 'string' || withoutQuery(htu) !== this.urlOf(request)) throw refused('htu');
    const now = this.clock.now().getTime() / 1000;
    if (typeof iat !== 'number' || Math.abs(now - iat) > this.rules.auth.dpop.proofSeconds)
      throw refused('iat');
    if (accessToken !== null && ath !== digest(accessToken)) throw refused('ath');
  }

  /**
   * The URL as the client sees it. Only a PUBLIC_URL says so for sure: without one (plain http is for development) it is
   * what the request names as its host, which whoever sends it may choose.
   */
  private urlOf(request: ProvedRequest): string | null {
    const { PUBLIC_URL } = this.config;
    const origin = PUBLIC_URL.startsWith('https:') ? PUBLIC_URL : `${request.protocol}://${request.host}`;
    return withoutQuery(`${origin}${request.originalUrl}`);
  }
}

function withoutQuery(url: string): string | null {
  const parsed = URL.parse(url);
  return parsed && `${parsed.origin}${parsed.pathname}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function refused(problem: string, cause?: unknown): Error {
  return dpopErrors.DPOP_PROOF_INVALID({ problem }, { cause });
}
