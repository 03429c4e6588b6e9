import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadAppConfig } from '../config/load-config.js';
import { BlindIndex } from './blind-index.js';
import { columnContext, KeyRing } from './key-ring.js';

const CONTEXT = columnContext('user_phones', 'number', '7f');
const newKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const configOf = (env: Record<string, string>) =>
  loadAppConfig({
    DATABASE_URL: 'postgres://127.0.0.1/none',
    REDIS_URL: 'redis://127.0.0.1',
    JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----',
    ...env,
  });
const ringOf = (...keys: string[]) => new KeyRing(configOf({ ENCRYPTION_KEYS: keys.join(',') }));

describe('the key ring', () => {
  const [old, current] = [newKey('old'), newKey('new-2')];

  it('gives back every text and every run of bytes', () => {
    const ring = ringOf(current);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), fc.string(), (text, bytes, context) => {
        expect(ring.decryptText(ring.encrypt(text, context), context)).toBe(text);
        expect(ring.decrypt(ring.encrypt(Buffer.from(bytes), context), context)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('never gives the same ciphertext twice', () => {
    const ring = ringOf(current);
    const made = Array.from({ length: 500 }, () => ring.encrypt('+15005550006', CONTEXT).toString('hex'));
    expect(new Set(made).size).toBe(500);
  });

  it('decrypts under every key that it holds, and encrypts under the first', () => {
    const before = ringOf(old).encrypt('+15005550006', CONTEXT);
    const after = ringOf(current, old);
    expect(after.decryptText(before, CONTEXT)).toBe('+15005550006');
    const renewed = after.encrypt('+15005550006', CONTEXT);
    expect(renewed.subarray(0, after.currentHeader.length)).toEqual(after.currentHeader);
    expect(ringOf(current).decryptText(renewed, CONTEXT)).toBe('+15005550006');
    expect(() => ringOf(current).decrypt(before, CONTEXT)).toThrow('ENCRYPTION_KEYS has no key "old"');
  });

  it('refuses another key under the same name', () => {
    const ciphertext = ringOf(newKey('k')).encrypt('secret', CONTEXT);
    expect(() => ringOf(newKey('k')).decrypt(ciphertext, CONTEXT)).toThrow(/unable to authenticate/);
  });

  it('refuses a ciphertext that was moved to another row or column', () => {
    const ring = ringOf(current);
    const ciphertext = ring.encrypt('+15005550006', CONTEXT);
    for (const context of [
      columnContext('user_phones', 'number', '70'),
      columnContext('user_totp', 'number', '7f'),
      '',
    ])
      expect(() => ring.decrypt(ciphertext, context)).toThrow(/unable to authenticate/);
  });

  it('refuses every changed bit and every cut', () => {
    const ring = ringOf(current, newKey('new-3'));
    const ciphertext = ring.encrypt('+15005550006', CONTEXT);
    for (let bit = 0; bit < ciphertext.length * 8; bit += 1) {
      const changed = Buffer.from(ciphertext);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => ring.decrypt(changed, CONTEXT)).toThrow();
    }
    for (let length = 0; length < ciphertext.length; length += 1)
      expect(() => ring.decrypt(ciphertext.subarray(0, length), CONTEXT)).toThrow();
  });

  it('has a key of its own outside production only', () => {
    const ring = new KeyRing(configOf({}));
    expect(ring.decryptText(ring.encrypt('a', CONTEXT), CONTEXT)).toBe('a');
    const production = Object.assign(configOf({}), { NODE_ENV: 'production' });
    expect(() => new KeyRing(production)).toThrow('production has no key for encryption');
    expect(() => new BlindIndex(production)).toThrow('production has no key for blind index');
  });
});

describe('the blind index', () => {
  const indexUnder = (key?: string) =>
    new BlindIndex(configOf({ BLIND_INDEX_KEY: key ?? randomBytes(32).toString('base64') }));

  it('is the same for the same value, and another for another value, purpose or key', () => {
    const index = indexUnder();
    const found = index.of('phone', '+15005550006');
    expect(found).toHaveLength(32);
    expect(index.of('phone', '+15005550006')).toEqual(found);
    expect(index.of('phone', '+15005550007')).not.toEqual(found);
    expect(index.of('email', '+15005550006')).not.toEqual(found);
    expect(indexUnder().of('phone', '+15005550006')).not.toEqual(found);
  });
});
