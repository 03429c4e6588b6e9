import { Injectable } from '@nestjs/common';
import { isRetryable } from '../../platform/database/database-errors.js';
import { GroupedCalls } from '../../platform/database/grouped-calls.js';
import type { PreparedPosting } from './domain/posting.js';
import { type LedgerOutcome, LedgerRepository } from './ledger.repository.js';

/** A transfer that a deadlock chose as its victim left nothing behind. */
const ATTEMPTS = 4;

/** Two calls under way keep a connection busy while the other's answers are read. */
const UNDER_WAY = 2;
const LARGEST = 64;

/** Posts transfers of many callers in one call. */
@Injectable()
export class LedgerGroups {
  private readonly groups = new GroupedCalls<PreparedPosting, LedgerOutcome>({
    underWay: UNDER_WAY,
    largest: LARGEST,
    subjectOf: ({ reference }) => reference,
    call: async (postings) => await this.repository.postTogether(postings),
  });

  constructor(private readonly repository: LedgerRepository) {}

  /** What fails a group, or makes it wait too long, may be one of the others: then each is asked by itself. */
  async post(posting: PreparedPosting): Promise<LedgerOutcome> {
    const outcome = await this.groups.ask(posting).catch(() => null);
    return outcome ?? (await this.alone(posting));
  }

  private async alone(posting: PreparedPosting, attempt = 1): Promise<LedgerOutcome> {
    try {
      return await this.repository.postAlone(posting);
    } catch (error) {
      if (isRetryable(error) && attempt < ATTEMPTS) return await this.alone(posting, attempt + 1);
      throw error;
    }
  }
}
