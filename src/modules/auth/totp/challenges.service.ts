import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import type { DomainError } from '../../../platform/http/domain-error.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import { type ChallengeRow, ChallengesRepository } from './challenges.repository.js';
import { totpErrors } from './totp.errors.js';

const DAY_MS = 86_400_000;

/** A challenge that was shown: what its token hashes to, and whom it asks. */
export interface Challenge extends ChallengeRow {
  hash: Buffer;
}

/** Questions for the second factor. Who holds one has proved the first; it opens nothing by itself. */
@HasHousekeeping()
@Injectable()
export class ChallengesService implements Forgetful {
  readonly forgets = [
    async (limit: number) => await this.repository.deleteExpired(limit, this.inMs(-DAY_MS)),
  ];

  constructor(
    private readonly repository: ChallengesRepository,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** A challenge that sign_in stores for who has a second factor; `required` asks for it, and is told once that is committed. */
  begin(): { hash: Buffer; expiresAt: Date; required: () => DomainError } {
    const { challengeSeconds: expiresIn } = this.rules.auth.secondFactor;
    const challenge = randomBytes(32).toString('base64url');
    return {
      hash: hashOf(challenge),
      expiresAt: this.inMs(expiresIn * 1000),
      required: () => totpErrors.SECOND_FACTOR_REQUIRED({ challenge, expiresIn }),
    };
  }

  /** Throws CHALLENGE_INVALID. */
  async get(token: string): Promise<Challenge> {
    const hash = hashOf(token);
    const row = await this.repository.findOpen(hash, this.clock.now(), this.tries);
    if (!row) throw totpErrors.CHALLENGE_INVALID();
    return { ...row, hash };
  }

  /** One try less, before the answer is looked at. Throws CHALLENGE_INVALID when there is none left. */
  async takeTry({ hash }: Challenge): Promise<void> {
    if (!(await this.repository.takeTry(hash, this.clock.now(), this.tries)))
      throw totpErrors.CHALLENGE_INVALID();
  }

  /** It was answered. Throws CHALLENGE_INVALID when it had been before, or is no longer good. */
  async close(manager: EntityManager, { hash }: Challenge): Promise<void> {
    if (!(await this.repository.close(manager, hash, this.clock.now()))) throw totpErrors.CHALLENGE_INVALID();
  }

  /** None that the user was asked so far is to be answered any more: what was proved before it counts no longer. */
  async endAll(manager: EntityManager, userId: string): Promise<void> {
    await this.repository.endAll(manager, userId, this.clock.now());
  }

  private get tries(): number {
    return this.rules.auth.secondFactor.challengeTries;
  }

  private inMs(ms: number): Date {
    return new Date(this.clock.now().getTime() + ms);
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
