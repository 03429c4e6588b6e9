import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
} from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../platform/config/app-config.js';

const PEM = /-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g;

interface VerificationKey {
  readonly kid: string;
  readonly alg: 'EdDSA' | 'ES256';
  readonly publicKey: KeyObject;
  readonly jwk: JsonWebKey;
}

/** A public key as others read it. */
export interface PublishedKey extends JsonWebKey {
  kid: string;
  alg: string;
  use: 'sig';
}

/** The key that signs access tokens, and those that did and still count. Each is known by its RFC 7638 thumbprint. */
@Injectable()
export class SigningKeys {
  private readonly privateKey: KeyObject;
  readonly current: VerificationKey;
  /** Of every token: the same bytes. */
  private readonly header: string;
  private readonly known: ReadonlyMap<string, VerificationKey>;

  /** Throws when a key is neither Ed25519 nor P-256. */
  constructor(config: AppConfig) {
    this.privateKey = createPrivateKey(config.JWT_PRIVATE_KEY);
    this.current = keyOf('JWT_PRIVATE_KEY', config.JWT_PRIVATE_KEY);
    this.header = encode({ alg: this.current.alg, kid: this.current.kid, typ: 'at+jwt' });
    const retired = config.JWT_RETIRED_KEYS?.match(PEM) ?? [];
    const keys = [this.current, ...retired.map((pem) => keyOf('JWT_RETIRED_KEYS', pem))];
    this.known = new Map(keys.map((key) => [key.kid, key]));
  }

  /**
   * An access token of these claims (RFC 9068, JWS compact serialisation). Here and now: a library signs by way of the thread
   * pool, which takes three times as long as the signature and waits behind passwords.
   */
  sign(claims: object): string {
    const signed = `${this.header}.${encode(claims)}`;
    const { alg } = this.current;
    const signature =
      alg === 'EdDSA'
        ? sign(null, Buffer.from(signed), this.privateKey)
        : sign('sha256', Buffer.from(signed), { key: this.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }

  find(kid: string | undefined): VerificationKey | undefined {
    return kid === undefined ? undefined : this.known.get(kid);
  }

  /** The public keys, the current one first (RFC 7517). */
  published(): { keys: PublishedKey[] } {
    return { keys: [...this.known.values()].map(({ jwk, kid, alg }) => ({ ...jwk, kid, alg, use: 'sig' })) };
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function keyOf(variable: string, pem: string): VerificationKey {
  const publicKey = createPublicKey(pem);
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const alg = crv === 'Ed25519' ? 'EdDSA' : crv === 'P-256' ? 'ES256' : null;
  if (alg === null) throw new Error(`${variable} must hold Ed25519 or P-256 keys only`);
  const jwk = { crv, kty, x, ...(y === undefined ? {} : { y }) };
  // The members that make the key, in the order of their names: RFC 7638.
  const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');
  return { kid, alg, publicKey, jwk };
}
