import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CredentialsRepository } from '../credentials.repository.js';

/** Since when an account has the password that it has; for rules of modules above about what is new. */
@Injectable()
export class PasswordAgeService {
  constructor(private readonly credentials: CredentialsRepository) {}

  /** Null when it never was another one, or there is none. */
  async changedAt(manager: EntityManager, userId: string): Promise<Date | null> {
    return await this.credentials.changedAt(manager, userId);
  }
}
