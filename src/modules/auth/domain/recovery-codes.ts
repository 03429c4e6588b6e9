import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const LENGTH = 16;
const GROUP = /.{4}(?=.)/g;

/** What a recovery code looks like to who types it; hyphens may be left out. */
export const RECOVERY_CODE = /^[A-Za-z2-7]{4}(?:-?[A-Za-z2-7]{4}){3}$/;

/** A new code of 80 random bits: `k3vd-7qpa-x2mn-yb6t`. Too many to try even against its hash, so that needs no salt. */
export function newRecoveryCode(): string {
  const letters = Array.from(randomBytes(LENGTH), (byte) => ALPHABET.charAt(byte % ALPHABET.length));
  return letters.join('').replace(GROUP, '$&-');
}

export function hashOfRecoveryCode(code: string): Buffer {
  return createHash('sha256').update(code.toLowerCase().replaceAll('-', '')).digest();
}
