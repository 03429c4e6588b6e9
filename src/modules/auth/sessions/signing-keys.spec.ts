import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, jwtVerify } from 'jose';
import type { AppConfig } from '../../../platform/config/app-config.js';
import { SigningKeys } from './signing-keys.js';

const [ed, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const secret = ({ privateKey }: { privateKey: KeyObject }) =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const shared = ({ publicKey }: { publicKey: KeyObject }) =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();
const keys = (current: string, retired?: string) =>
  new SigningKeys({ JWT_PRIVATE_KEY: current, JWT_RETIRED_KEYS: retired } as AppConfig);

describe('signing keys', () => {
  it('are known by their RFC 7638 thumbprints', async () => {
    expect(keys(secret(ed)).current).toMatchObject({
      alg: 'EdDSA',
      kid: await calculateJwkThumbprint(ed.publicKey),
    });
    expect(keys(secret(ec)).current).toMatchObject({
      alg: 'ES256',
      kid: await calculateJwkThumbprint(ec.publicKey),
    });
  });

  it('may have been public or private, one after the other', () => {
    const all = keys(secret(ed), `${shared(ec)}\n${secret(other)}`);
    expect(all.published().keys.map(({ alg }) => alg)).toEqual(['EdDSA', 'ES256', 'EdDSA']);
    for (const { kid } of all.published().keys) expect(all.find(kid)?.kid).toBe(kid);
    expect([all.find('other'), all.find(undefined)]).toEqual([undefined, undefined]);
  });

  it.each([
    ['EdDSA', ed],
    ['ES256', ec],
  ])('sign by %s what a library of others verifies', async (alg, pair) => {
    const [signing, claims] = [keys(secret(pair)), { sub: 'ada', name: 'Ăśńé', exp: 4_102_444_800 }];
    const verified = await jwtVerify(signing.sign(claims), pair.publicKey);
    expect(verified.payload).toEqual(claims);
    expect(verified.protectedHeader).toEqual({ alg, kid: signing.current.kid, typ: 'at+jwt' });
    await expect(jwtVerify(signing.sign(claims), other.publicKey)).rejects.toThrow();
  });

  it('are published without what is private', () => {
    expect(JSON.stringify(keys(secret(ed), secret(ec)).published())).not.toContain('"d"');
  });

  it.each([
    ['RSA', rsa],
    ['P-384', p384],
  ])('of %s are refused', (_, pair) => {
    expect(() => keys(secret(pair))).toThrow('JWT_PRIVATE_KEY must hold Ed25519 or P-256 keys only');
    expect(() => keys(secret(ed), shared(pair))).toThrow('JWT_RETIRED_KEYS must hold');
  });
});
