import { BlindIndex } from '../../src/platform/security/blind-index.js';
import { columnContext, KeyRing } from '../../src/platform/security/key-ring.js';
import type { Client } from './client.js';
import type { System } from './system.js';
import { tracesInDatabase, tracesInRedis } from './traces.js';

/** Looks for values in everything that a system has written. */
export class Values {
  constructor(private readonly system: System) {}

  /** Rows and Redis keys that hold one of the texts. */
  async placesOf(...texts: string[]): Promise<string[]> {
    return [...(await tracesInDatabase(this.system, texts)), ...(await tracesInRedis(this.system, texts))];
  }

  /** Gives each user a number, as proving it would. */
  async givePhones(users: readonly Client[], numbers: readonly string[]): Promise<void> {
    const [ring, index] = [this.system.app.get(KeyRing), this.system.app.get(BlindIndex)];
    for (const [n, { userId }] of users.entries())
      await this.system.db.query('INSERT INTO user_phones VALUES ($1, $2, $3, $4)', [
        userId,
        ring.encrypt(numbers[n]!, columnContext('user_phones', 'number', userId)),
        index.of('phone', numbers[n]!),
        this.system.now(),
      ]);
  }
}
