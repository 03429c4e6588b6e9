import { describe, expect, it } from '@jest/globals';
import type { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import type { Builders } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { WEEK } from '../support/played-week.js';
import { aGame, moneyline, spread, total } from '../support/scripted-feed.js';
import type { System } from '../support/system.js';
import { AFTER_START, followsFeeds, type Doubted, SUNDAY, toldFeed } from '../support/told-feed.js';

let system: System;
let make: Builders;
let admin: Client;
let intake: FeedIntakeService;
let source: string;

followsFeeds((followed) => {
  ({ system, make, admin, intake, source } = followed);
});

const { announce, game, idOf, markets, odds, quarantined, reasons, rows } = toldFeed(() => ({
  system,
  source,
}));

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
    const player = await make.member(WEEK);
    await announce('a');
    await odds([moneyline()]);
    const bet = { marketId: await idOf('a', 'moneyline'), outcome: 'home', stake: 10, acceptOdds: 'any' };
    expect((await player.post('bets', bet, { key: 'before' })).status).toBe(201);
    await odds([moneyline(110, 120)]);
    expect(await reasons()).toEqual(['odds a OVERROUND_LOW']);
    const refused = await player.post('bets', bet, { key: 'meanwhile' });
    expect([refused.status, refused.error.code]).toEqual([409, 'MARKET_NOT_OPEN']);
    await odds([moneyline(-155, 135)]);
    expect((await player.post('bets', bet, { key: 'after' })).status).toBe(201);
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
