import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OddsApiFeed } from '../../src/modules/sports/feeds/odds-api/odds-api-feed.js';
import { FeedDoubtsService } from '../../src/modules/sports/feeds/feed-doubts.service.js';
import { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { Rules } from '../../src/platform/config/rules.js';
import { configWith } from '../support/mobile-money.js';
import {
  ANSWERS_AT,
  hasRealAnswers,
  MADE_ANSWERS,
  OddsApiServer,
  REAL_ANSWERS,
} from '../support/odds-api-server.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const NBA = '000000000000000000000000000000a1';

/** The feed beside a system of its own, and what it says taken in as the worker does. */
class Desk {
  private constructor(
    readonly server: OddsApiServer,
    readonly system: System,
    readonly feed: OddsApiFeed,
  ) {}

  static async open(folder: string): Promise<Desk> {
    const server = await new OddsApiServer(folder).start();
    const system = await startSystemWithRules({}, { worker: false, at: ANSWERS_AT });
    const rules = system.app.get(Rules);
    const { oddsApi } = rules.sports;
    // Asked as often as the tests like.
    oddsApi.everySeconds = { schedule: 0, odds: 0, scores: 0, results: 0 };
    oddsApi.sports = oddsApi.sports.filter(({ key }) => server.odds.has(key));
    const feed = new OddsApiFeed(configWith(server.env), rules, system.app.get(Clock));
    return new Desk(server, system, feed);
  }

  async take(): Promise<Record<'games' | 'prices' | 'scores' | 'results', number>> {
    const intake = this.system.app.get(FeedIntakeService);
    const now = () => AbortSignal.timeout(10_000);
    const { feed } = this;
    const counts = {
      games: await intake.schedule(feed.source, (await feed.schedule(now())) ?? []),
      prices: await intake.odds(feed.source, await feed.odds(now())),
      scores: await intake.scores(feed.source, (await feed.scores(now())) ?? []),
      results: await intake.ends(feed.source, (await feed.results(now())) ?? []),
    };
    await this.system.app.get(FeedDoubtsService).noteProblems(feed.source, feed.problems());
    return counts;
  }

  async rows<Row>(sql: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.system.db.query(sql, values)).rows as Row[];
  }

  async prices(externalId: string): Promise<unknown[]> {
    return await this.rows(
      `SELECT m.kind, m.line, m.status, p.outcome, trim_scale(p.decimal) AS decimal FROM market_prices p JOIN markets m ON m.id = p.market_id
       JOIN games g ON g.id = m.game_id WHERE g.source = 'odds-api' AND g.external_id = $1
       ORDER BY m.kind, m.line, array_position(ARRAY['home', 'draw', 'away', 'over', 'under'], p.outcome)`,
      externalId,
    );
  }

  async close(): Promise<void> {
    await this.system.stop();
    await this.server.stop();
  }
}

describe('The Odds API, taken in', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open(MADE_ANSWERS);
  });
  afterAll(async () => desk.close());

  const quarantined = () =>
    desk.rows(
      `SELECT kind, external_id, reason, status FROM feed_quarantine ORDER BY kind, external_id, reason`,
    );

  it('makes games of what has not begun, with one price for each outcome, to the letter', async () => {
    expect(await desk.take()).toMatchObject({ games: 4, scores: 0, results: 0 });
    const games = await desk.rows(
      `SELECT external_id, sport, league, season, status FROM games WHERE source = 'odds-api' ORDER BY external_id`,
    );
    expect(games).toHaveLength(4);
    expect(games[0]).toEqual({
      external_id: NBA,
      sport: 'basketball',
      league: 'NBA',
      season: '2025-26',
      status: 'scheduled',
    });
    expect(await desk.prices(NBA)).toEqual([
      { kind: 'moneyline', line: null, status: 'open', outcome: 'home', decimal: '2.5' },
      { kind: 'moneyline', line: null, status: 'open', outcome: 'away', decimal: '1.6' },
      { kind: 'spread', line: '3.50', status: 'open', outcome: 'home', decimal: '1.96' },
      { kind: 'spread', line: '3.50', status: 'open', outcome: 'away', decimal: '1.92' },
      { kind: 'total', line: '218.50', status: 'open', outcome: 'over', decimal: '1.93' },
      { kind: 'total', line: '218.50', status: 'open', outcome: 'under', decimal: '1.89' },
    ]);
  });

  it('quarantines what the feed could not read', async () => {
    expect(await quarantined()).toContainEqual({
      kind: 'odds',
      external_id: '000000000000000000000000000000a3',
      reason: 'TEAM_UNKNOWN',
      status: 'open',
    });
  });

  it('stores nothing of what has not changed, and only what has', async () => {
    const count = async () => (await desk.rows<{ count: string }>('SELECT count(*) FROM odds'))[0]?.count;
    const before = await count();
    expect(await desk.take()).toEqual({ games: 0, prices: 0, scores: 0, results: 0 });
    expect(await count()).toBe(before);
    const pinnacle = desk.server.odds.get('basketball_nba')?.[0]?.bookmakers?.[1];
    const [away] = pinnacle?.markets[0]?.outcomes ?? [];
    if (!away) throw new Error('no price');
    away.price = 1.625;
    expect(await desk.take()).toMatchObject({ prices: 1 });
    expect(Number(await count())).toBe(Number(before) + 1);
    expect(await desk.prices(NBA)).toContainEqual(
      expect.objectContaining({ outcome: 'away', decimal: '1.625' }),
    );
  });

  it('suspends a market that nobody offers any longer, and a moved line is a new market', async () => {
    const event = desk.server.odds.get('basketball_nba')?.[0];
    for (const bookmaker of event?.bookmakers ?? []) {
      bookmaker.markets = bookmaker.markets.filter(({ key }) => key !== 'totals');
      for (const { key, outcomes } of bookmaker.markets)
        if (key === 'spreads')
          for (const each of outcomes as { point?: number }[]) each.point = (each.point ?? 0) > 0 ? 4 : -4;
    }
    await desk.take();
    const markets = await desk.rows<{
      kind: string;
      line: string | null;
      status: string;
      suspended_by: string | null;
    }>(
      `SELECT m.kind, m.line, m.status, m.suspended_by FROM markets m JOIN games g ON g.id = m.game_id
       WHERE g.external_id = $1 ORDER BY m.kind, m.line`,
      NBA,
    );
    expect(markets).toEqual([
      { kind: 'moneyline', line: null, status: 'open', suspended_by: null },
      { kind: 'spread', line: '3.50', status: 'suspended', suspended_by: 'line_moved' },
      { kind: 'spread', line: '4.00', status: 'open', suspended_by: null },
      { kind: 'total', line: '218.50', status: 'suspended', suspended_by: 'line_moved' },
    ]);
  });

  it('takes scores and results of games that it knows', async () => {
    await desk.system.moveTo('2026-04-18T01:00:00Z');
    const [score] = desk.server.scores.get('basketball_nba')?.filter(({ id }) => id === NBA) ?? [];
    if (!score) throw new Error('no score');
    const stand = (home: string, away: string) => [
      { name: score.home_team, score: home },
      { name: score.away_team, score: away },
    ];
    score.scores = stand('51', '48');
    expect(await desk.take()).toMatchObject({ scores: 1, results: 0 });
    const game = () =>
      desk.rows(`SELECT status, home_score, away_score FROM games WHERE external_id = $1`, NBA);
    expect(await game()).toEqual([{ status: 'in_progress', home_score: 51, away_score: 48 }]);
    score.scores = stand('101', '99');
    score.completed = true;
    expect(await desk.take()).toMatchObject({ results: 1 });
    expect(await game()).toEqual([{ status: 'final', home_score: 101, away_score: 99 }]);
    expect(await desk.take()).toMatchObject({ results: 0 });
    expect(desk.server.problems).toEqual([]);
  });
});

(hasRealAnswers() ? describe : describe.skip)('real answers of The Odds API, taken in', () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await Desk.open(REAL_ANSWERS);
  });
  afterAll(async () => desk.close());

  it('are games and markets, all but what is in play', async () => {
    const counts = await desk.take();
    const rows = await desk.rows<{ league: string; games: number; markets: number; prices: number }>(
      `SELECT g.league, count(DISTINCT g.id)::int AS games, count(DISTINCT m.id)::int AS markets, count(p.*)::int AS prices
       FROM games g LEFT JOIN markets m ON m.game_id = g.id LEFT JOIN market_prices p ON p.market_id = m.id
       WHERE g.source = 'odds-api' GROUP BY g.league ORDER BY g.league`,
    );
    const doubts = await desk.rows<{ kind: string; reason: string; count: number }>(
      `SELECT kind, reason, count(*)::int FROM feed_quarantine GROUP BY 1, 2 ORDER BY 1, 2`,
    );
    process.stdout.write(`\nTaken in: ${rows.map((row) => Object.values(row).join(' ')).join(', ')}\n`);
    expect(rows.map(({ league, games }) => [league, games])).toEqual([
      ['EPL', 20],
      ['MLB', 13],
      ['MLS', 40],
      ['NBA', 8],
      ['NCAAF', 9],
      ['NHL', 12],
    ]);
    expect(counts.games).toBe(102);
    // Three markets each; 60 of them three-way.
    expect(rows.map(({ markets }) => markets)).toEqual([60, 39, 120, 24, 27, 36]);
    expect(rows.reduce((sum, { prices }) => sum + prices, 0)).toBe(306 * 2 + 60);
    // Of what one bookmaker's prices are picked from, nothing is doubted afterwards.
    expect(doubts).toEqual([]);
    expect(await desk.take()).toEqual({ games: 0, prices: 0, scores: 0, results: 0 });
  }, 30_000);
});
