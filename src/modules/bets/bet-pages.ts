import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../platform/config/app-config.js';
import { type Listed, RenderedList } from '../../platform/http/answers.js';
import { EarlyAsks } from '../../platform/security/early-asks.js';
import { RedisConnections } from '../../platform/redis/redis-connections.js';
import { StampedReads } from '../../platform/redis/stamped-reads.js';
import type { BetDto } from './dto/bets.dto.js';

/** Only a stamp that was lost (a process killed between its commit and the stamp) is made up for by this. */
const MAX_AGE_MS = 30_000;
/** Rendered, a page of 20 is some 8 KB. */
const MAX_PAGES = 2500;
const GRADED = 'bets:graded';

/** Names what a route that shows its caller's bets asks early. */
export const BETS_OF_CALLER = 'bets of caller';

/**
 * Pages of people's bets, which a client asks for again and again while games are on. They are stale with the user's next bet
 * and with any grading, in every process.
 */
@Injectable()
export class BetPages {
  private readonly reads: StampedReads<RenderedList<BetDto>>;
  private readonly texts = new WeakMap<object, string>();

  constructor(redis: RedisConnections, { REDIS_PREFIX: prefix }: AppConfig, early: EarlyAsks) {
    this.reads = new StampedReads(redis, { prefix, maxAgeMs: MAX_AGE_MS, max: MAX_PAGES });
    early.register(BETS_OF_CALLER, (userId) => this.reads.begin([GRADED, ofUser(userId)]));
  }

  async getOrRead(
    userId: string,
    query: object,
    read: () => Promise<Listed<BetDto>>,
  ): Promise<RenderedList<BetDto>> {
    const key = `${userId} ${this.textOf(query)}`;
    return await this.reads.getOrRead(
      [GRADED, ofUser(userId)],
      key,
      async () => new RenderedList(await read()),
    );
  }

  /** Of a query that validation keeps, which many requests share, once. */
  private textOf(query: object): string {
    let text = this.texts.get(query);
    if (text === undefined) this.texts.set(query, (text = JSON.stringify(query)));
    return text;
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
