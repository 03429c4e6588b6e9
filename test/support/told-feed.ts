import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import type { QuarantineRow } from '../../src/modules/sports/feeds/feed-quarantine.repository.js';
import { FeedsRepository } from '../../src/modules/sports/feeds/feeds.repository.js';
import { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import type { FeedMarket, FeedOdds } from '../../src/modules/sports/feeds/sports-feed.js';
import { StaleMarketsSweeper } from '../../src/modules/sports/feeds/stale-markets.sweeper.js';
import { GameChanges } from '../../src/modules/sports/odds/game-changes.js';
import { SlateCache } from '../../src/modules/sports/slate-cache.js';
import { Rules } from '../../src/platform/config/rules.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { type PlayedWeek, startPlayedWeek } from './played-week.js';
import { aGame } from './scripted-feed.js';
import type { System } from './system.js';

export const TUESDAY = '2023-10-03T12:00:00Z';
/** When the games start that a feed announces. */
export const SUNDAY = '2023-10-08T17:00:00Z';
export const AFTER_START = '2023-10-08T18:00:00Z';

/** Of a game, of a market, or of what came of them. */
export interface ToldRow {
  id: string;
  kind: string;
  status: string;
  outcome: string;
  american: number;
  action: string;
  home_score: number | null;
  starts_at: Date;
  source_starts_at: Date | null;
  first_starts_at: Date;
}
export type Doubted = Omit<QuarantineRow, 'details'> & { details: { markets: { market: string }[] } };

/** A feed that one worker follows, and no other feed beside it: what tests before have left is nobody's, and not stale. */
export async function aFollowedFeed(system: System): Promise<string> {
  const source = `feed-${randomUUID()}`;
  await system.db.query('DELETE FROM feed_polls');
  await system.db.query('DELETE FROM feeds');
  await system.app.get(FeedsRepository).hold(source, '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e', 3600);
  return source;
}

/** For a file of tests, each with a followed feed of its own. */
export function followsFeeds(
  begin: (followed: PlayedWeek & { intake: FeedIntakeService; source: string }) => void,
): void {
  let week: PlayedWeek;
  beforeAll(async () => {
    week = await startPlayedWeek();
  });
  afterAll(async () => week.system.stop());
  beforeEach(async () => {
    await week.system.moveTo(TUESDAY);
    const source = await aFollowedFeed(week.system);
    begin({ ...week, intake: week.system.app.get(FeedIntakeService), source });
  });
}

/** What is said in a feed's name, and what the product then holds of it. Which feed that is may change from test to test. */
export function toldFeed(now: () => { system: System; source: string }) {
  const intake = () => now().system.app.get(FeedIntakeService);

  async function rows<Row = ToldRow>(sql: string, ...values: unknown[]): Promise<Row[]> {
    return (await now().system.db.query(sql, values)).rows as Row[];
  }

  /** `kind line status by` of a game's markets, with their prices. */
  async function markets(externalId = 'a'): Promise<string[]> {
    const found = await rows<{ text: string }>(
      `SELECT concat_ws(' ', m.kind, m.line, m.status, m.suspended_by, (
         SELECT string_agg(coalesce(p.american::text, p.decimal::text), '/' ORDER BY p.outcome IN ('away', 'under'))
         FROM market_prices p WHERE p.market_id = m.id)) AS text
       FROM markets m JOIN games g ON g.id = m.game_id WHERE g.source = $1 AND g.external_id = $2 ORDER BY m.kind, m.line`,
      now().source,
      externalId,
    );
    return found.map(({ text }) => text);
  }

  async function quarantined(): Promise<Doubted[]> {
    return await rows<Doubted>('SELECT * FROM feed_quarantine WHERE source = $1 ORDER BY id', now().source);
  }
  const reasonOf = ({ kind, external_id: externalId, reason }: Doubted) => `${kind} ${externalId} ${reason}`;

  async function game(externalId = 'a'): Promise<ToldRow> {
    const [row] = await rows(
      'SELECT * FROM games WHERE source = $1 AND external_id = $2',
      now().source,
      externalId,
    );
    return row!;
  }

  return {
    rows,
    markets,
    quarantined,
    game,
    /** Of all that was doubted, decided or not. */
    reasons: async () => (await quarantined()).map(reasonOf),
    openReasons: async () => (await quarantined()).filter(({ status }) => status === 'open').map(reasonOf),
    idOf: async (externalId: string, kind: string): Promise<string> =>
      (
        await rows(
          'SELECT m.id FROM markets m JOIN games g ON g.id = m.game_id WHERE g.source = $1 AND g.external_id = $2 AND m.kind = $3',
          now().source,
          externalId,
          kind,
        )
      )[0]!.id,
    announce: async (...names: string[]): Promise<number> =>
      await intake().schedule(
        now().source,
        names.map((name) => aGame(name, SUNDAY)),
      ),
    /** One answer of the feed: what it offers of game a, of game b, … */
    odds: async (...offers: (FeedMarket[] | FeedOdds)[]): Promise<number> =>
      await intake().odds(
        now().source,
        offers.map((offer, index) =>
          Array.isArray(offer) ? { externalId: String.fromCharCode(97 + index), markets: offer } : offer,
        ),
      ),
  };
}

/** As another worker has it. */
export function newSweeper({ app }: System): StaleMarketsSweeper {
  return new StaleMarketsSweeper(
    app.get(FeedsRepository),
    app.get(GameChanges),
    app.get(UnitOfWork),
    app.get(Rules),
    app.get(SlateCache),
  );
}
