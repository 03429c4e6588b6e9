import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../platform/config/app-config.js';
import { type Listed, RenderedList } from '../../platform/http/answers.js';
import { RedisConnections } from '../../platform/redis/redis-connections.js';
import { StampedReads } from '../../platform/redis/stamped-reads.js';
import type { BetDto } from './dto/bets.dto.js';

const MAX_AGE_MS = 5000;
/** Rendered, a page of 20 is some 8 KB. */
const MAX_PAGES = 2500;
const GRADED = 'bets:graded';

/**
 * Pages of people's bets, which a client asks for again and again while games are on. They are stale with the user's next bet
 * and with any grading, in every process.
 */
@Injectable()
export class BetPages {
  private readonly reads: StampedReads<RenderedList<BetDto>>;

  constructor(redis: RedisConnections, { REDIS_PREFIX: prefix }: AppConfig) {
    this.reads = new StampedReads(redis, { prefix, maxAgeMs: MAX_AGE_MS, max: MAX_PAGES });
  }

  async getOrRead(
    userId: string,
    query: object,
    read: () => Promise<Listed<BetDto>>,
  ): Promise<RenderedList<BetDto>> {
    const key = `${userId} ${JSON.stringify(query)}`;
    return await this.reads.getOrRead(
      [GRADED, ofUser(userId)],
      key,
      async () => new RenderedList(await read()),
    );
  }

  async placed(userId: string): Promise<void> {
    await this.reads.changed(ofUser(userId));
  }

  async graded(): Promise<void> {
    await this.reads.changed(GRADED);
  }
}

function ofUser(userId: string): string {
  return `bets:${userId}`;
}
