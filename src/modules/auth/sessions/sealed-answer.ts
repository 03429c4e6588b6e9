import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts an answer under a key that only the refresh token it was given for yields (HKDF-SHA256): of the token nothing is
 * stored but its hash, so nothing at rest opens it. Layout: IV, tag, ciphertext; bound to the session by its id.
 */
export function sealAnswer(refreshToken: string, sessionId: string, answer: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(refreshToken, sessionId), iv);
  const sealed = Buffer.concat([cipher.update(answer, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

/** Throws when the token or the session is another one, or the bytes were changed. */
export function openAnswer(refreshToken: string, sessionId: string, sealed: Buffer): string {
  const decipher = createDecipheriv(CIPHER, keyOf(refreshToken, sessionId), sealed.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const opened = [decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
  return Buffer.concat(opened).toString('utf8');
}

function keyOf(refreshToken: string, sessionId: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', refreshToken, sessionId, 'parley refresh answer', 32));
}
