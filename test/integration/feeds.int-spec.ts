import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import type { QuarantineRow } from '../../src/modules/sports/feeds/feed-quarantine.repository.js';
import { FeedsRepository } from '../../src/modules/sports/feeds/feeds.repository.js';
import { StaleMarketsSweeper } from '../../src/modules/sports/feeds/stale-markets.sweeper.js';
import type { FeedMarket, FeedOdds } from '../../src/modules/sports/feeds/sports-feed.js';
import { GameChanges } from '../../src/modules/sports/odds/game-changes.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { SlateCache } from '../../src/modules/sports/slate-cache.js';
import { Rules } from '../../src/platform/config/rules.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { Builders, unbalanced } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { joinPool } from '../support/members.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { aGame, moneyline, spread, total } from '../support/scripted-feed.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const TUESDAY = '2023-10-03T12:00:00Z';
const SUNDAY = '2023-10-08T17:00:00Z';
const AFTER_START = '2023-10-08T18:00:00Z';

let system: System;
let make: Builders;
let admin: Client;
let intake: FeedIntakeService;
let count = 0;
/** Each test has a feed of its own. */
let source: string;

beforeAll(async () => {
  system = await startSystemWithRules({}, { worker: false, at: TUESDAY });
  make = new Builders(system);
  admin = await make.admin();
  await make.week(WEEK);
  intake = system.app.get(FeedIntakeService);
});
afterAll(async () => system.stop());
beforeEach(async () => {
  await system.moveTo(TUESDAY);
  source = `feed-${(count += 1)}`;
  // What tests before it have left is of nobody that is followed, and is not stale.
  await system.db.query('DELETE FROM feed_polls');
  await system.db.query('DELETE FROM feeds');
  await system.app.get(FeedsRepository).hold(source, '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e', 3600);
});

interface AnyRow {
  id: string;
  kind: string;
  line: string | null;
  status: string;
  suspended_by: string | null;
  prices: string | null;
  outcome: string;
  american: number;
  action: string;
  home_score: number | null;
  starts_at: Date;
}
type Doubted = Omit<QuarantineRow, 'details'> & { details: { markets: { market: string }[] } };

async function rows<Row = AnyRow>(sql: string, ...values: unknown[]): Promise<Row[]> {
  return (await system.db.query(sql, values)).rows as Row[];
}

/** `kind line status by` of a game's markets, with their prices. */
async function markets(externalId = 'a'): Promise<string[]> {
  const found = await rows(
    `SELECT m.kind, m.line, m.status, m.suspended_by, (
       SELECT string_agg(coalesce(p.american::text, p.decimal::text), '/' ORDER BY p.outcome IN ('away', 'under'))
       FROM market_prices p WHERE p.market_id = m.id) AS prices
     FROM markets m JOIN games g ON g.id = m.game_id WHERE g.source = $1 AND g.external_id = $2 ORDER BY m.kind, m.line`,
    source,
    externalId,
  );
  return found.map((row) =>
    [row.kind, row.line, row.status, row.suspended_by, row.prices].filter((part) => part !== null).join(' '),
  );
}

async function quarantined(): Promise<Doubted[]> {
  return await rows<Doubted>(`SELECT * FROM feed_quarantine WHERE source = $1 ORDER BY id`, source);
}
const reasons = async () =>
  (await quarantined()).map((row) => `${row.kind} ${row.external_id} ${row.reason}`);

async function game(externalId = 'a'): Promise<AnyRow> {
  const [row] = await rows('SELECT * FROM games WHERE source = $1 AND external_id = $2', source, externalId);
  return row!;
}
const idOf = async (externalId: string, kind: string): Promise<string> =>
  (
    await rows(
      'SELECT m.id FROM markets m JOIN games g ON g.id = m.game_id WHERE g.source = $1 AND g.external_id = $2 AND m.kind = $3',
      source,
      externalId,
      kind,
    )
  )[0]!.id;

const odds = async (...offers: (FeedMarket[] | FeedOdds)[]): Promise<number> =>
  await intake.odds(
    source,
    offers.map((offer, index) =>
      Array.isArray(offer) ? { externalId: String.fromCharCode(97 + index), markets: offer } : offer,
    ),
  );
const announce = async (...names: string[]): Promise<number> =>
  await intake.schedule(
    source,
    names.map((name) => aGame(name, SUNDAY)),
  );

function newSweeper(): StaleMarketsSweeper {
  const { app } = system;
  return new StaleMarketsSweeper(
    app.get(FeedsRepository),
    app.get(GameChanges),
    app.get(UnitOfWork),
    app.get(Rules),
    app.get(SlateCache),
  );
}

/** Everything that a feed may write, but for the times at which it did. */
async function stored(): Promise<unknown> {
  return await rows(
    `SELECT (SELECT md5(string_agg((to_jsonb(g) - 'updated_at')::text, '' ORDER BY id)) FROM games g) AS games,
            (SELECT md5(string_agg((to_jsonb(m) - 'updated_at')::text, '' ORDER BY id)) FROM markets m) AS markets,
            (SELECT md5(string_agg(to_jsonb(p)::text, '' ORDER BY market_id, outcome)) FROM market_prices p) AS prices,
            (SELECT md5(string_agg((to_jsonb(h) - 'fresh_at')::text, '' ORDER BY game_id)) FROM game_heads h) AS heads,
            (SELECT count(*) FROM odds) AS odds, (SELECT count(*) FROM outbox) AS events,
            (SELECT count(*) FROM audit_log) AS audited, (SELECT count(*) FROM feed_quarantine) AS doubts,
            (SELECT md5(string_agg(to_jsonb(d)::text, '' ORDER BY kind, subject)) FROM deadlines d) AS deadlines`,
  );
}

describe('what a feed says', () => {
  it('becomes games with deadlines, markets and prices; said again it changes nothing', async () => {
    expect(await announce('a', 'b')).toBe(2);
    expect(await odds([moneyline(), spread(), total()], [moneyline()])).toBe(8);
    expect(await markets()).toEqual([
      'moneyline open -150/130',
      'spread -3.00 open -110/-110',
      'total 45.50 open -110/-110',
    ]);
    const deadlines = await rows(
      'SELECT kind FROM deadlines WHERE subject = $1 ORDER BY kind',
      (await game()).id,
    );
    expect(deadlines.map(({ kind }) => kind)).toEqual(['game-lock', 'game-overdue']);
    const before = await stored();
    expect(await announce('a', 'b')).toBe(0);
    expect(await odds([moneyline(), spread('-3.0'), total('45.50')], [moneyline()])).toBe(0);
    intake.forget(source); // as after a restart
    expect(await odds([moneyline(), spread(), total()], [moneyline()])).toBe(0);
    expect(await stored()).toEqual(before);
  });

  it('is not taken of games that nobody announced, nor of those that have begun', async () => {
    await announce('a');
    expect(await intake.odds(source, [{ externalId: 'zzz', markets: [moneyline()] }])).toBe(0);
    await odds([moneyline()]);
    await system.moveTo(AFTER_START);
    expect(await odds([moneyline(-200, 170)])).toBe(0);
    expect(await intake.schedule(source, [aGame('late', SUNDAY)])).toBe(0);
    expect(await markets()).toEqual(['moneyline open -150/130']);
  });

  it('keeps every price, and moves the current one', async () => {
    await announce('a');
    await odds([moneyline()]);
    expect(await odds([moneyline(-155, 130)])).toBe(1);
    expect(await odds([moneyline(-155, 135)])).toBe(1);
    expect(await markets()).toEqual(['moneyline open -155/135']);
    const kept = await rows(
      'SELECT outcome, american FROM odds WHERE market_id = $1 ORDER BY created_at, outcome',
      await idOf('a', 'moneyline'),
    );
    expect(new Set(kept.map(({ american }) => american))).toEqual(new Set([-150, -155, 130, 135]));
    expect(kept).toHaveLength(4);
  });

  it('decimals are the same however many noughts they are written with', async () => {
    await announce('a');
    const ways = (...prices: string[]): FeedMarket => ({
      kind: 'three_way',
      line: null,
      prices: ['home', 'draw', 'away'].map((outcome, index) => ({ outcome, decimal: prices[index]! })),
    });
    expect(await odds([ways('2.10', '3.4', '3.6')])).toBe(3);
    expect(await odds([ways('2.1', '3.40', '3.600')])).toBe(0);
    intake.forget(source);
    expect(await odds([ways('2.1', '3.40', '3.600')])).toBe(0);
    expect(await odds([ways('2.1', '3.40', '3.7')])).toBe(1);
  });

  it('a moved line is a new market, and the old one comes back with its line', async () => {
    await announce('a');
    await odds([spread('-3')]);
    await odds([spread('-3.5', -105, -115)]);
    expect(await markets()).toEqual([
      'spread -3.50 open -105/-115',
      'spread -3.00 suspended line_moved -110/-110',
    ]);
    await odds([spread('-3', -120, 100)]);
    expect(await markets()).toEqual([
      'spread -3.50 suspended line_moved -105/-115',
      'spread -3.00 open -120/100',
    ]);
  });

  it('suspends what is no longer offered until it is offered again, but no market of an operator', async () => {
    await announce('a');
    await odds([moneyline(), spread(), total()]);
    const { id } = await game();
    await system.db.query(
      `INSERT INTO markets (id, game_id, kind, prop, title, outcomes) VALUES (gen_random_uuid(), $1, 'prop', 'coin', 'Coin', '[{"key":"heads","label":"Heads"}]')`,
      [id],
    );
    intake.forget(source);
    await odds([moneyline(), total('46')]);
    expect(await markets()).toEqual([
      'moneyline open -150/130',
      'prop open',
      'spread -3.00 suspended line_moved -110/-110',
      'total 45.50 suspended line_moved -110/-110',
      'total 46.00 open -110/-110',
    ]);
    await odds([moneyline(), spread(), total('46')]);
    expect((await markets())[2]).toBe('spread -3.00 open -110/-110');
  });

  it('prices what an operator has suspended, and leaves it suspended', async () => {
    await announce('a');
    await odds([moneyline(), spread()]);
    const subject = { userId: admin.userId } as never;
    await system.app.get(MarketsService).suspend(subject, await idOf('a', 'moneyline'), 'x');
    await system.app.get(MarketsService).suspend(subject, await idOf('a', 'spread'), 'x');
    await odds([moneyline(-160, 140), spread('-3.5')]);
    intake.forget(source);
    await odds([moneyline(-165, 140), spread('-3.5')]);
    expect(await markets()).toEqual([
      'moneyline suspended operator -165/140',
      'spread -3.50 suspended operator -110/-110',
      'spread -3.00 suspended operator -110/-110',
    ]);
  });

  it('moves starts: a new schedule, or a postponement within a day of it', async () => {
    await announce('a');
    await intake.schedule(source, [aGame('a', '2023-10-08T20:00:00Z')]);
    expect(await game()).toMatchObject({ status: 'scheduled', starts_at: new Date('2023-10-08T20:00:00Z') });
    await system.moveTo('2023-10-08T12:00:00Z');
    await intake.schedule(source, [aGame('a', '2023-10-12T20:00:00Z')]);
    expect((await game()).status).toBe('cancelled');
  });

  it('takes 5,000 changes on 2,000 markets within a second', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `many-${index}`);
    await intake.schedule(
      source,
      names.map((name) => aGame(name, SUNDAY)),
    );
    const at = (home: number, over: number) =>
      names.map((externalId, index) => ({
        externalId,
        markets: [moneyline(home - (index % 2), 130 + (home % 7)), total('45.5', over, -110)],
      }));
    expect(await intake.odds(source, at(-150, -110))).toBe(4000);
    const timings: number[] = [];
    for (const step of [1, 2, 3]) {
      const began = performance.now();
      const taken = await intake.odds(source, at(-150 - step * 3, -110 - step));
      timings.push((1000 * 5 * (performance.now() - began)) / taken);
    }
    const unchanged = performance.now();
    expect(await intake.odds(source, at(-159, -113))).toBe(0);
    const quiet = performance.now() - unchanged;
    process.stdout.write(
      `feeds: 5,000 changes in ${timings.map((ms) => ms.toFixed(0)).join(', ')} ms; 2,000 unchanged markets in ${quiet.toFixed(0)} ms\n`,
    );
    expect(Math.min(...timings)).toBeLessThan(1000);
    expect(quiet).toBeLessThan(250);
  }, 60_000);
});

describe('what is not believed', () => {
  it('of one market is noted once, shuts it at its last good price, and touches no other; a good price opens it', async () => {
    await announce('a', 'b');
    await odds([moneyline(), spread(), total()], [moneyline()]);
    const bad = [moneyline(-150, 90), spread(), total('45.5', -115, -105)];
    expect(await odds(bad, [moneyline(-160, 140)])).toBe(4);
    expect(await markets()).toEqual([
      'moneyline suspended feed_stale -150/130',
      'spread -3.00 open -110/-110',
      'total 45.50 open -115/-105',
    ]);
    expect(await markets('b')).toEqual(['moneyline open -160/140']);
    expect(await reasons()).toEqual(['odds a PRICE_IMPOSSIBLE']);
    await odds(bad, [moneyline(-160, 140)]);
    expect((await quarantined())[0]).toMatchObject({ times: 1, game_id: (await game()).id, status: 'open' });
    await system.moveTo(new Date(system.now().getTime() + 31_000));
    await odds(bad, [moneyline(-160, 140)]);
    expect((await quarantined())[0]!.times).toBe(2);
    await odds([moneyline(-152, 132), spread(), total('45.5', -115, -105)], [moneyline(-160, 140)]);
    expect((await markets())[0]).toBe('moneyline open -152/132');
    expect(await reasons()).toEqual(['odds a PRICE_IMPOSSIBLE']);
  });

  it('takes no bet meanwhile', async () => {
    const [player] = await make.players(1);
    await joinPool(system, WEEK, [player!]);
    await announce('a');
    await odds([moneyline()]);
    const bet = { marketId: await idOf('a', 'moneyline'), outcome: 'home', stake: 10, acceptOdds: 'any' };
    expect((await player!.post('bets', bet, { key: 'before' })).status).toBe(201);
    await odds([moneyline(110, 120)]);
    expect(await reasons()).toEqual(['odds a OVERROUND_LOW']);
    const refused = await player!.post('bets', bet, { key: 'meanwhile' });
    expect([refused.status, refused.error.code]).toEqual([409, 'MARKET_NOT_OPEN']);
    await odds([moneyline(-155, 135)]);
    expect((await player!.post('bets', bet, { key: 'after' })).status).toBe(201);
  });

  it('is never a new market', async () => {
    await announce('a');
    await odds([moneyline(-150, 130), spread('45.5'), total('3')]);
    expect(await markets()).toEqual(['moneyline open -150/130']);
    expect(await reasons()).toEqual(['odds a SPREAD_TOTAL_SWAPPED']);
    expect((await quarantined())[0]!.details.markets.map(({ market }) => market)).toEqual([
      'spread',
      'total',
    ]);
  });

  it('of a game that is there twice in one answer is all of it', async () => {
    await announce('a');
    await odds([moneyline(), spread()]);
    await intake.odds(source, [
      { externalId: 'a', markets: [moneyline(-200, 170)] },
      { externalId: 'a', markets: [moneyline(-150, 130)] },
    ]);
    expect(await markets()).toEqual([
      'moneyline suspended feed_stale -150/130',
      'spread -3.00 suspended feed_stale -110/-110',
    ]);
    expect(await reasons()).toEqual(['odds a GAME_TWICE']);
    await odds([moneyline(), spread()]);
    expect(await markets()).toEqual(['moneyline open -150/130', 'spread -3.00 open -110/-110']);
  });

  it('of a schedule leaves the game as it was', async () => {
    await announce('a');
    const teams = { homeTeam: 'A-a', awayTeam: 'H-a' };
    await intake.schedule(source, [
      aGame('a', SUNDAY, teams),
      aGame('c', SUNDAY, { homeTeam: 'H-a', awayTeam: 'A-a' }),
    ]);
    expect(await game()).toMatchObject({ home_team: 'H-a', away_team: 'A-a' });
    expect(await game('c')).toBeUndefined();
    await system.moveTo(AFTER_START);
    await intake.schedule(source, [aGame('a', '2023-10-09T17:00:00Z')]);
    expect((await game()).starts_at).toEqual(new Date(SUNDAY));
    expect(await reasons()).toEqual([
      'schedule a TEAMS_CHANGED',
      'schedule c GAME_TWICE',
      'schedule a START_AFTER_BEGUN',
    ]);
  });

  it('of scores and results is never graded', async () => {
    await announce('a');
    await intake.scores(source, [{ externalId: 'a', home: 0, away: 0 }]);
    await system.moveTo(AFTER_START);
    expect(await intake.scores(source, [{ externalId: 'a', home: 14, away: 3, periods: [[14, 3]] }])).toBe(1);
    expect(await intake.scores(source, [{ externalId: 'a', home: 7, away: 3 }])).toBe(0);
    expect(await intake.ends(source, [{ externalId: 'a', status: 'final', home: 13, away: 10 }])).toBe(0);
    expect(await game()).toMatchObject({
      status: 'in_progress',
      home_score: 14,
      away_score: 3,
      result_version: 0,
    });
    expect(await reasons()).toEqual([
      'score a BEFORE_START',
      'score a SCORE_BACKWARDS',
      'result a SCORE_BACKWARDS',
    ]);
  });

  it('a result of a settled week is not', async () => {
    await make.week(202339);
    await system.moveTo('2023-09-26T12:00:00Z');
    const early = '2023-10-01T17:00:00Z';
    await intake.schedule(source, [aGame('a', early)]);
    await system.moveTo('2023-10-03T12:00:00Z');
    expect(await intake.ends(source, [{ externalId: 'a', status: 'final', home: 20, away: 17 }])).toBe(1);
    await system.db.query("UPDATE weeks SET status = 'settled' WHERE id = 202339");
    await system.app.get(ResultsService).confirm((await game()).id);
    expect(await intake.ends(source, [{ externalId: 'a', status: 'final', home: 20, away: 21 }])).toBe(0);
    expect(await game()).toMatchObject({ home_score: 20, away_score: 17 });
    expect(await reasons()).toEqual(['result a RESULT_CLOSED']);
  });
});

describe('deciding about it', () => {
  const decide = async (id: string, decision: string) =>
    await admin.post(`admin/feed-quarantine/${id}/decide`, { decision, reason: 'seen on television' });

  it('a score that is accepted is taken over as the word of who accepted it; said again it is no news', async () => {
    await announce('a');
    await system.moveTo(AFTER_START);
    await intake.scores(source, [{ externalId: 'a', home: 14, away: 3 }]);
    await intake.scores(source, [{ externalId: 'a', home: 7, away: 3 }]);
    const [doubt] = (await quarantined()) as [Doubted];
    const { status, data } = await decide(doubt.id, 'accept');
    expect([status, data.status, data.decidedBy]).toEqual([200, 'accepted', admin.userId]);
    expect(await game()).toMatchObject({ home_score: 7, away_score: 3 });
    const audited = await rows(
      'SELECT action, actor_id FROM audit_log WHERE subject_id = ANY ($1::text[]) AND actor_id IS NOT NULL ORDER BY action',
      [doubt.id, (await game()).id],
    );
    expect(audited.map(({ action }) => action)).toEqual(['feed-quarantine.accepted', 'game.result']);
    await intake.scores(source, [{ externalId: 'a', home: 7, away: 3 }]);
    expect(await intake.scores(source, [{ externalId: 'a', home: 10, away: 3 }])).toBe(1);
    expect(await reasons()).toEqual(['score a SCORE_BACKWARDS']);
  });

  it('a result that is accepted counts at once, and a start moves the game', async () => {
    await announce('a', 'b');
    await intake.schedule(source, [aGame('b', '2023-10-02T12:00:00Z')]);
    await system.moveTo(AFTER_START);
    await intake.schedule(source, [aGame('b', '2023-10-08T23:00:00Z')]);
    await intake.scores(source, [{ externalId: 'a', home: 14, away: 3 }]);
    await intake.ends(source, [{ externalId: 'a', status: 'final', home: 13, away: 10 }]);
    const doubts = new Map((await quarantined()).map((row) => [row.reason, row.id]));
    expect([...doubts.keys()]).toEqual(['START_IN_PAST', 'START_AFTER_BEGUN', 'SCORE_BACKWARDS']);
    expect((await decide(doubts.get('SCORE_BACKWARDS')!, 'accept')).status).toBe(200);
    expect(await game()).toMatchObject({
      status: 'final',
      home_score: 13,
      away_score: 10,
      confirmed_at: expect.any(Date),
    });
    expect((await decide(doubts.get('START_AFTER_BEGUN')!, 'accept')).status).toBe(200);
    expect(await game('b')).toMatchObject({
      status: 'scheduled',
      starts_at: new Date('2023-10-08T23:00:00Z'),
    });
    // A start that has passed by now is refused by the game itself, and stays to be decided.
    const late = await decide(doubts.get('START_IN_PAST')!, 'accept');
    expect([late.status, late.error.code]).toEqual([409, 'GAME_STATE_CONFLICT']);
    expect((await decide(doubts.get('START_IN_PAST')!, 'dismiss')).status).toBe(200);
  });

  it('prices cannot be accepted, nor what is no score', async () => {
    await announce('a');
    await odds([moneyline(-150, 90)]);
    await system.moveTo(AFTER_START);
    await intake.scores(source, [{ externalId: 'a', home: 1000, away: 3 }]);
    for (const { id } of await quarantined()) {
      const refused = await decide(id, 'accept');
      expect([refused.status, refused.error.code]).toEqual([422, 'FEED_DOUBT_NOT_ACCEPTABLE']);
      expect((await decide(id, 'dismiss')).status).toBe(200);
    }
    expect((await quarantined()).map(({ status }) => status)).toEqual(['dismissed', 'dismissed']);
    expect((await decide('01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5f', 'dismiss')).error.code).toBe(
      'FEED_DOUBT_NOT_FOUND',
    );
  });

  it('happens once, however many decide at once', async () => {
    await announce('a');
    await system.moveTo(AFTER_START);
    await intake.scores(source, [{ externalId: 'a', home: 14, away: 3 }]);
    await intake.scores(source, [{ externalId: 'a', home: 7, away: 3 }]);
    const [{ id }] = (await quarantined()) as [Doubted];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => decide(id, index % 2 === 0 ? 'accept' : 'dismiss')),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ error }) => error?.code === 'FEED_DOUBT_ALREADY_DECIDED')).toHaveLength(19);
    const [decided] = (await quarantined()) as [Doubted];
    expect((await game()).home_score).toBe(decided.status === 'accepted' ? 7 : 14);
    const audited = await rows('SELECT 1 FROM audit_log WHERE subject_id = $1', id);
    expect(audited).toHaveLength(1);
  });

  it('lists by pages what is open of one feed, and shows what was dismissed again when it is said again', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    await announce(...names);
    await odds(...names.map(() => [moneyline(-150, 90)]));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Answer<{ externalId: string }[]> = await admin.get(
        `admin/feed-quarantine?source=${source}&limit=2${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...page.data.map(({ externalId }) => externalId));
      cursor = page.body.meta.pagination.nextCursor;
    }
    expect(seen).toEqual(names);
    const [first] = (await quarantined()) as [Doubted];
    await decide(first.id, 'dismiss');
    await odds(...names.map(() => [moneyline(-150, 90)]));
    expect((await admin.get(`admin/feed-quarantine?source=${source}`)).data).toHaveLength(5);
    const [feed] = (await admin.get('admin/feeds')).data.filter(
      (one: { source: string }) => one.source === source,
    );
    expect(feed).toMatchObject({ followed: true, games: 5, quarantined: 5, lagSeconds: null, polls: [] });
  });
});

describe('a prop that gets further outcomes', () => {
  const first = (prices: Record<string, number>): FeedMarket => ({
    kind: 'prop',
    line: null,
    prop: {
      key: 'first',
      title: 'First touchdown',
      outcomes: Object.keys(prices).map((key) => ({ key, label: key.toUpperCase() })),
    },
    prices: Object.entries(prices).map(([outcome, american]) => ({ outcome, american })),
  });
  const TWO = { a: -110, b: -110 };
  const THREE = { c: 260, a: 150, b: 150 };
  const shown = async () => {
    const { data } = await admin.get(`games/${(await game()).id}`);
    const { outcomes, prices } = data.markets[0] as {
      outcomes: { key: string }[];
      prices: { outcome: string; american: number }[];
    };
    return {
      outcomes: outcomes.map(({ key }) => key).join(' '),
      prices: prices.map(({ outcome, american }) => `${outcome} ${american}`),
    };
  };

  it('has them after its own, and bets on them are graded', async () => {
    const [player] = await make.players(1);
    await joinPool(system, WEEK, [player!]);
    await announce('a');
    await odds([first(TWO)]);
    const marketId = await idOf('a', 'prop');
    const [{ seq: before }] = (await rows(
      'SELECT seq::int FROM markets WHERE id = $1',
      marketId,
    )) as never as [{ seq: number }];
    expect(await odds([first(THREE)])).toBe(3);
    expect(await shown()).toEqual({ outcomes: 'a b c', prices: ['a 150', 'b 150', 'c 260'] });
    const [{ seq }] = (await rows('SELECT seq::int FROM markets WHERE id = $1', marketId)) as never as [
      { seq: number },
    ];
    expect(seq).toBeGreaterThan(before); // so that sockets are told
    expect(await odds([first(THREE)])).toBe(0);
    expect((await markets())[0]).toContain('prop open');
    for (const outcome of ['a', 'c'])
      expect(
        (await player!.post('bets', { marketId, outcome, stake: 10, acceptOdds: 'any' }, { key: outcome }))
          .status,
      ).toBe(201);
    await system.moveTo(AFTER_START);
    await system.app.get(ResultsService).report(admin.userId, (await game()).id, {
      status: 'final',
      homeScore: 20,
      awayScore: 17,
      props: { first: ['c'] },
    });
    await new Deliveries(system).all();
    expect(
      await rows(
        'SELECT outcome, status, payout::int FROM bets WHERE market_id = $1 ORDER BY outcome',
        marketId,
      ),
    ).toEqual([
      { outcome: 'a', status: 'lost', payout: 0 },
      { outcome: 'c', status: 'won', payout: 36 },
    ]);
    expect(await unbalanced(system)).toEqual([]);
  });

  it('keeps those that its feed names no more, and what an operator has suspended stays so', async () => {
    await announce('a');
    await odds([first(THREE)]);
    await odds([first(TWO)]);
    expect((await shown()).outcomes).toBe('c a b');
    await system.app
      .get(MarketsService)
      .suspend({ userId: admin.userId } as never, await idOf('a', 'prop'), 'x');
    intake.forget(source);
    await odds([first({ ...THREE, d: 2000 })]);
    expect(await shown()).toEqual({ outcomes: 'c a b d', prices: ['c 260', 'a 150', 'b 150', 'd 2000'] });
    expect((await markets())[0]).toContain('prop suspended operator');
  });

  it('is not one of an operator, nor is anything of it priced that it has not', async () => {
    await announce('a');
    await system.db.query(
      `INSERT INTO markets (id, game_id, kind, prop, title, outcomes)
       VALUES (gen_random_uuid(), $1, 'prop', 'first', 'First', '[{"key":"a","label":"A"},{"key":"b","label":"B"}]')`,
      [(await game()).id],
    );
    intake.forget(source);
    expect(await odds([first(THREE)])).toBe(2);
    expect(await shown()).toEqual({ outcomes: 'a b', prices: ['a 150', 'b 150'] });
  });
});

describe('a feed that has fallen silent', () => {
  const later = async (seconds: number) => system.moveTo(new Date(system.now().getTime() + seconds * 1000));

  it('has its markets suspended after ten minutes, whoever sweeps, and opened by the next word', async () => {
    await announce('a', 'b');
    await odds([moneyline(), spread()], [moneyline()]);
    await system.db.query(
      `INSERT INTO markets (id, game_id, kind, prop, title, outcomes) VALUES (gen_random_uuid(), $1, 'prop', 'coin', 'Coin', '[{"key":"heads","label":"Heads"}]')`,
      [(await game()).id],
    );
    await later(590);
    expect(await newSweeper().sweep()).toBe(0);
    await later(20);
    const swept = await Promise.all(Array.from({ length: 8 }, () => newSweeper().sweep()));
    expect(swept.reduce((sum, one) => sum + one, 0)).toBe(3);
    expect(await markets()).toEqual([
      'moneyline suspended feed_stale -150/130',
      'prop open',
      'spread -3.00 suspended feed_stale -110/-110',
    ]);
    // Of one game the same prices, of the other a new one: either opens its markets.
    await odds([moneyline(), spread()], [moneyline(-160, 140)]);
    expect(await markets()).toEqual(['moneyline open -150/130', 'prop open', 'spread -3.00 open -110/-110']);
    expect(await markets('b')).toEqual(['moneyline open -160/140']);
    expect(await newSweeper().sweep()).toBe(0);
  });

  it('does not count as silent while it says that nothing is new', async () => {
    await announce('a');
    await odds([moneyline()]);
    for (let minutes = 0; minutes < 30; minutes += 5) {
      await later(300);
      await intake.odds(source, null);
      expect(await newSweeper().sweep()).toBe(0);
    }
    await later(700);
    expect(await newSweeper().sweep()).toBe(1);
    await intake.odds(source, null);
    expect(await markets()).toEqual(['moneyline open -150/130']);
  });

  it('is silent after a minute already once the game has begun', async () => {
    await announce('a');
    await system.moveTo('2023-10-08T16:59:50Z');
    await odds([moneyline()]);
    await later(30);
    expect(await newSweeper().sweep()).toBe(0);
    await later(35);
    expect(await newSweeper().sweep()).toBe(1);
  });

  it('does not open what an operator has suspended meanwhile, nor a game that is off', async () => {
    await announce('a', 'b');
    await odds([moneyline(), spread()], [moneyline()]);
    const subject = { userId: admin.userId } as never;
    await system.app.get(MarketsService).suspend(subject, await idOf('a', 'moneyline'), 'x');
    await later(700);
    expect(await newSweeper().sweep()).toBe(2);
    await system.app.get(ResultsService).report(admin.userId, (await game('b')).id, { status: 'cancelled' });
    await odds([moneyline(), spread()], [moneyline()]);
    expect(await markets()).toEqual(['moneyline suspended operator -150/130', 'spread -3.00 open -110/-110']);
    expect((await markets('b'))[0]).not.toContain('open');
  });
});

describe('scores and results', () => {
  it('are recorded as they come, to be confirmed, and corrected by the feed until then', async () => {
    await announce('a');
    await odds([moneyline()]);
    await system.moveTo(AFTER_START);
    const score = {
      externalId: 'a',
      home: 7,
      away: 3,
      periods: [[7, 3]] as [number, number][],
      minutesPlayed: 12,
    };
    expect(await intake.scores(source, [score, { externalId: 'unknown', home: 1, away: 1 }])).toBe(1);
    expect(await intake.scores(source, [score])).toBe(0);
    expect(await game()).toMatchObject({
      status: 'in_progress',
      home_score: 7,
      periods: [[7, 3]],
      minutes_played: 12,
    });
    expect(await intake.ends(source, [{ externalId: 'a', status: 'final', home: 20, away: 17 }])).toBe(1);
    expect(await game()).toMatchObject({ status: 'final', home_score: 20, confirmed_at: null });
    expect(await intake.scores(source, [{ externalId: 'a', home: 21, away: 17 }])).toBe(0);
    expect(await intake.ends(source, [{ externalId: 'a', status: 'final', home: 20, away: 16 }])).toBe(1);
    expect(await game()).toMatchObject({ status: 'final', away_score: 16 });
    expect(await reasons()).toEqual([]);
  });

  it('that a feed repeats do not undo what an operator has said since, not after a restart either', async () => {
    await announce('a');
    await system.moveTo(AFTER_START);
    const result = { externalId: 'a', status: 'final' as const, home: 20, away: 17 };
    await intake.ends(source, [result]);
    await admin.post(`admin/games/${(await game()).id}/result`, {
      status: 'final',
      homeScore: 20,
      awayScore: 21,
      reason: 'x',
    });
    intake.forget(source);
    expect(await intake.ends(source, [result])).toBe(0);
    expect(await game()).toMatchObject({ home_score: 20, away_score: 21 });
    expect(await reasons()).toEqual([]);
  });
});
