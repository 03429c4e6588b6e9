import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { Rules } from '../config/rules.js';

/**
 * argon2id with the parameters of `config/auth.yml`; hashing runs on the thread pool. No more at once than there are cores:
 * more would be no faster, and would take the cores from the event loop and the pool's threads from everybody else.
 */
@Injectable()
export class PasswordHasher {
  private readonly limited = pLimit(availableParallelism());
  private decoy: Promise<string> | undefined;

  constructor(private readonly rules: Rules) {}

  async hash(password: string): Promise<string> {
    // argon2id is the library's default.
    return await this.limited(() => hash(password, this.rules.auth.argon2));
  }

  /** Whether the hash was made with other parameters than those of now. */
  isOutdated(stored: string): boolean {
    const { memoryCost, timeCost, parallelism } = this.rules.auth.argon2;
    return !stored.startsWith(`$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`);
  }

  /** Takes as long when there is no such account, so that the answer's time does not tell. */
  async verify(stored: string | null, password: string): Promise<boolean> {
    this.decoy ??= this.hash('no account has this password');
    const against = stored ?? (await this.decoy);
    const matches = await this.limited(() => verify(against, password));
    return stored !== null && matches;
  }
}
