import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const DATA_KEY_BYTES = 32;

/**
 * A file under a key of its own, which alone is kept under the key ring: rotating the ring's keys renews a few bytes in the database and
 * no file, and a file whose key is forgotten is as good as deleted, in every backup too. Nonce, tag, encrypted bytes; bound to its id.
 */
export function sealFile(bytes: Buffer, dataKey: Buffer, id: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', dataKey, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(id));
  const encrypted = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]);
}

/** Throws when the key or the id is another, or a single bit was changed. */
export function openFile(sealed: Buffer, dataKey: Buffer, id: string): Buffer {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new Error('The file is cut off');
  const decipher = createDecipheriv('aes-256-gcm', dataKey, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(id));
  decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}
