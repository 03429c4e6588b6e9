import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';
import { Rules } from '../config/rules.js';

/** argon2id with the parameters of `config/auth.yml`; hashing runs on the thread pool. */
@Injectable()
export class PasswordHasher {
  private decoy: Promise<string> | undefined;

  constructor(private readonly rules: Rules) {}

  async hash(password: string): Promise<string> {
    return await hash(password, this.rules.auth.argon2); // argon2id is the library's default
  }

  /** Whether the hash was made with other parameters than those of now. */
  isOutdated(stored: string): boolean {
    const { memoryCost, timeCost, parallelism } = this.rules.auth.argon2;
    return !stored.startsWith(`$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$`);
  }

  /** Takes as long when there is no such account, so that the answer's time does not tell. */
  async verify(stored: string | null, password: string): Promise<boolean> {
    this.decoy ??= this.hash('no account has this password');
    const matches = await verify(stored ?? (await this.decoy), password);
    return stored !== null && matches;
  }
}
