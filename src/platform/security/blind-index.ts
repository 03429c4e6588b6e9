import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { developmentKey } from './key-ring.js';

/**
 * Finds an encrypted value without decrypting: HMAC-SHA-256 under BLIND_INDEX_KEY. Without the key nobody can try all
 * numbers of a country against the stored index. That key cannot be rotated by `rotate-keys`: it would change every
 * index while people sign in.
 */
@Injectable()
export class BlindIndex {
  private readonly key: KeyObject;

  constructor({ BLIND_INDEX_KEY, NODE_ENV, JWT_PRIVATE_KEY }: AppConfig) {
    // As a KeyObject: Node makes one of a Buffer at each use, which costs more than the hash.
    this.key = createSecretKey(
      BLIND_INDEX_KEY === undefined
        ? developmentKey('blind index', NODE_ENV, JWT_PRIVATE_KEY)
        : Buffer.from(BLIND_INDEX_KEY, 'base64'),
    );
  }

  /** 32 bytes. `purpose` (`phone`) keeps the indexes of different kinds of values apart; normalise the value first. */
  of(purpose: string, value: string): Buffer {
    return createHmac('sha256', this.key).update(`${purpose}\0${value}`).digest();
  }
}
