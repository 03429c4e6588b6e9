import { describe, expect, it } from '@jest/globals';
import type { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import type { FeedMarket } from '../../src/modules/sports/feeds/sports-feed.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { type Builders, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { WEEK } from '../support/played-week.js';
import { aGame, moneyline, spread, total } from '../support/scripted-feed.js';
import type { System } from '../support/system.js';
import { AFTER_START, followsFeeds, SUNDAY, toldFeed } from '../support/told-feed.js';

let system: System;
let make: Builders;
let admin: Client;
let intake: FeedIntakeService;
let source: string;

followsFeeds((followed) => {
  ({ system, make, admin, intake, source } = followed);
});

const { announce, game, idOf, markets, odds, reasons, rows } = toldFeed(() => ({ system, source }));

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
    const player = await make.member(WEEK);
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
        (await player.post('bets', { marketId, outcome, stake: 10, acceptOdds: 'any' }, { key: outcome }))
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
