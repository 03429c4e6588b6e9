import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts single values at rest: AES-256-GCM under the first key of ENCRYPTION_KEYS; every key of the ring decrypts.
 * A ciphertext names its key: version, length of the key's id, id, nonce, tag, encrypted bytes.
 *
 * Store it in a column of the SQL domain `encrypted` (bytea that begins as a ciphertext does, so that no plaintext gets
 * in), with the context that `columnContext` gives: a ciphertext moved to another row or column does not decrypt, and
 * `rotate-keys` finds such columns by itself. One key must not encrypt more than 2^32 values (random nonces).
 */
@Injectable()
export class KeyRing {
  /** Made once: of bytes each use would make one anew. */
  private readonly keys: ReadonlyMap<string, KeyObject>;
  private readonly header: Buffer;

  constructor(config: AppConfig) {
    this.keys = new Map(ringOf(config).map(([id, key]) => [id, createSecretKey(key)]));
    const [first] = this.keys.keys();
    if (first === undefined) throw new Error('ENCRYPTION_KEYS holds no key');
    this.header = Buffer.concat([Buffer.of(VERSION, first.length), Buffer.from(first, 'latin1')]);
  }

  /** What every ciphertext under the first key begins with. */
  get currentHeader(): Buffer {
    return this.header;
  }

  encrypt(plaintext: string | Buffer, context: string): Buffer {
    const key = this.keyOf(this.header);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(additionalData(this.header, context));
    const encrypted = Buffer.concat([
      typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext),
      cipher.final(),
    ]);
    return Buffer.concat([this.header, nonce, cipher.getAuthTag(), encrypted]);
  }

  /** Throws when the key is not in the ring, the context is another, or a single bit was changed. */
  decrypt(ciphertext: Buffer, context: string): Buffer {
    const header = headerOf(ciphertext);
    const key = this.keyOf(header);
    const body = ciphertext.subarray(header.length);
    if (body.length < NONCE_BYTES + TAG_BYTES) throw new Error('The ciphertext is cut off');
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(additionalData(header, context));
    decipher.setAuthTag(body.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  }

  decryptText(ciphertext: Buffer, context: string): string {
    return this.decrypt(ciphertext, context).toString('utf8');
  }

  private keyOf(header: Buffer): KeyObject {
    const id = header.toString('latin1', 2);
    const key = this.keys.get(id);
    if (key === undefined) throw new Error(`ENCRYPTION_KEYS has no key "${id}"`);
    return key;
  }
}

/** Binds a ciphertext to its place: `user_phones.number:<the row's primary key>`, its parts joined by colons. */
export function columnContext(table: string, column: string, ...primaryKey: readonly string[]): string {
  return `${table}.${column}:${primaryKey.join(':')}`;
}

function headerOf(ciphertext: Buffer): Buffer {
  const [version, idLength] = ciphertext;
  if (version !== VERSION || idLength === undefined || ciphertext.length < 2 + idLength)
    throw new Error('Not a ciphertext of the key ring');
  return ciphertext.subarray(0, 2 + idLength);
}

/** The header is authenticated too; its own length byte keeps it apart from the context. */
function additionalData(header: Buffer, context: string): Buffer {
  return Buffer.concat([header, Buffer.from(context, 'utf8')]);
}

function ringOf({ ENCRYPTION_KEYS, NODE_ENV, JWT_PRIVATE_KEY }: AppConfig): [id: string, key: Buffer][] {
  if (ENCRYPTION_KEYS.length > 0)
    return ENCRYPTION_KEYS.map((entry) => {
      const colon = entry.indexOf(':');
      return [entry.slice(0, colon), Buffer.from(entry.slice(colon + 1), 'base64')];
    });
  return [['development', developmentKey('encryption', NODE_ENV, JWT_PRIVATE_KEY)]];
}

/** What stands in for a key that is not set. Production has none: the configuration refuses to boot without. */
export function developmentKey(purpose: string, nodeEnv: AppConfig['NODE_ENV'], secret: string): Buffer {
  if (nodeEnv === 'production') throw new Error(`production has no key for ${purpose}`);
  return Buffer.from(hkdfSync('sha256', secret, '', `parley development ${purpose}`, 32));
}
