import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FeedIntakeService } from '../../src/modules/sports/feeds/intake.service.js';
import { FeedsRepository } from '../../src/modules/sports/feeds/feeds.repository.js';
import type { FeedMarket } from '../../src/modules/sports/feeds/sports-feed.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { type Builders, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { AGAIN, first, firstTouchdown, THREE, TWO } from '../support/first-touchdown.js';
import { type Json, OddsFollower, ordered } from '../support/odds-follower.js';
import { startPlayedWeek, WEEK } from '../support/played-week.js';
import { aGame, moneyline, spread, total } from '../support/scripted-feed.js';
import { eventually, type System } from '../support/system.js';
import { AFTER_START, aFollowedFeed, SUNDAY, toldFeed, TUESDAY } from '../support/told-feed.js';

let system: System;
let make: Builders;
let admin: Client;
let intake: FeedIntakeService;
let source: string;

beforeAll(async () => {
  ({ system, make, admin } = await startPlayedWeek());
  intake = system.app.get(FeedIntakeService);
});
afterAll(async () => system.stop());
beforeEach(async () => {
  await system.moveTo(TUESDAY);
  source = await aFollowedFeed(system);
});

const told = toldFeed(() => ({ system, source }));
const { rows, markets, game, openReasons, idOf, announce, odds } = told;
const { shown, bet } = firstTouchdown(told, () => admin);

describe('an outcome that its feed no longer offers', () => {
  it('has no price and takes no bet until it has one again; the others go on', async () => {
    const player = await make.member(WEEK);
    await announce('a');
    await odds([first(THREE)]);
    expect(await shown()).toBe('open abc: a 150, b 150, c 260');
    expect(await bet(player, 'c')).toBe('placed');
    const [market] = (await admin.get(`games/${(await game()).id}`)).data.markets;
    const shownPrice = market.prices.find(({ outcome }: Json) => outcome === 'c').oddsId;

    await odds([first(TWO)]);
    expect(await shown()).toBe('open abc: a -110, b -110');
    expect(await bet(player, 'c')).toBe('422 OUTCOME_UNKNOWN');
    expect(await bet(player, 'c', { acceptOdds: 'exact', oddsId: shownPrice })).toBe('422 OUTCOME_UNKNOWN');
    expect(await bet(player, 'a')).toBe('placed');

    expect(await odds([first(AGAIN)])).toBe(3);
    expect(await shown()).toBe('open abc: a 150, b 150, c 300');
    expect(await bet(player, 'c', { acceptOdds: 'exact', oddsId: shownPrice })).toBe('409 ODDS_CHANGED');
    expect(await bet(player, 'c')).toBe('placed');
    expect(await unbalanced(system)).toEqual([]);
  });

  it('is refused in a parlay and in a quote, and a bet on it is not taken back', async () => {
    const player = await make.member(WEEK);
    await announce('a', 'b');
    await odds([first(THREE)], [moneyline()]);
    const legs = [
      { marketId: await idOf('a', 'prop'), outcome: 'c' },
      { marketId: await idOf('b', 'moneyline'), outcome: 'home' },
    ];
    const marketId = await idOf('a', 'prop');
    const single = { marketId, outcome: 'c', stake: 10, acceptOdds: 'any' };
    const placed = await player.post('bets', single, { key: randomUUID() });
    expect(placed.status).toBe(201);
    await odds([first(TWO)], [moneyline()]);

    const slip = { legs, stake: 10, acceptOdds: 'any' };
    const parlay = await player.post('bets', slip, { key: randomUUID() });
    expect([parlay.error.code, parlay.error.details]).toEqual([
      'OUTCOME_UNKNOWN',
      { leg: 1, field: 'outcome' },
    ]);
    for (const body of [single, slip]) {
      const quote = await player.post('bets/quote', body);
      expect(quote.data.refusals.map(({ code }: Json) => code)).toEqual(['OUTCOME_UNKNOWN']);
    }
    const cancelled = await player.post(`bets/${placed.data.betId}/cancel`, {});
    expect([cancelled.error.code, cancelled.error.details]).toEqual([
      'BET_NOT_CANCELLABLE',
      { reason: 'MARKET_MOVED' },
    ]);

    await system.moveTo(AFTER_START);
    await system.app.get(ResultsService).report(null, (await game()).id, {
      status: 'final',
      homeScore: 20,
      awayScore: 17,
      props: { first: ['c'] },
    });
    await new Deliveries(system).all();
    expect(await rows('SELECT status, payout::int FROM bets WHERE user_id = $1', player.userId)).toEqual([
      { status: 'won', payout: 36 },
    ]);
    expect(await unbalanced(system)).toEqual([]);
  });

  it('is told to who follows the game, and so is its next price', async () => {
    await announce('a');
    await odds([first(THREE), moneyline()]);
    const { id } = await game();
    const follower = await OddsFollower.connect(system.url, admin);
    try {
      await follower.subscribe({ games: [id] });
      const before = follower.games.get(id).seq;
      const expectCurrent = async () => {
        const { data } = await admin.get(`games/${id}`);
        await eventually(async () => follower.games.get(id).seq === data.seq);
        expect(follower.known(id)).toEqual(ordered(data));
      };
      await odds([first({ a: 150, b: -200 }), moneyline()]);
      await expectCurrent();
      const prop = follower.games.get(id).markets.find(({ kind }: Json) => kind === 'prop');
      expect(prop.prices.map(({ outcome }: Json) => outcome)).toEqual(['a', 'b']);
      expect(follower.told.some(({ event }) => event === 'market:status')).toBe(true);

      // Who was away meanwhile is told the same.
      const late = await follower.ask('subscribe', { games: [id], after: { [id]: before } });
      const [{ markets: whole }] = late.data.changes;
      expect(whole.map(({ kind, prices }: Json) => [kind, prices.length])).toEqual([['prop', 2]]);

      await odds([first(AGAIN), moneyline()]);
      await expectCurrent();
      const { event, payload } = follower.told.at(-1)!;
      expect([event, payload.prices.map(({ outcome }: Json) => outcome).toSorted()]).toEqual([
        'odds:changed',
        ['b', 'c'],
      ]);
      expect(follower.gaps).toBe(0);
    } finally {
      follower.close();
    }
  });

  it('is said again without a change, and keeps its history', async () => {
    await announce('a');
    await odds([first(THREE)]);
    await odds([first(TWO)]);
    const seq = async () =>
      (await rows<{ seq: string }>('SELECT seq FROM game_heads WHERE game_id = $1', (await game()).id))[0]!
        .seq;
    const before = await seq();
    await odds([first(TWO)]);
    intake.forget(source); // as after a restart
    await odds([first(TWO)]);
    expect(await seq()).toBe(before);
    const path = `markets/${await idOf('a', 'prop')}/odds/history`;
    const history = async () =>
      (await admin.get(path)).data
        .filter(({ outcome }: Json) => outcome === 'c')
        .map(({ american }: Json) => american);
    expect(await history()).toEqual([260]);
    await odds([first(THREE)]);
    expect(await history()).toEqual([260, 260]);
  });

  it('is not taken up again with its old price, by a feed that had fallen silent', async () => {
    await announce('a');
    await odds([first(THREE)]);
    await system.db.query(
      "UPDATE markets SET status = 'suspended', suspended_by = 'feed_stale' WHERE id = $1",
      [await idOf('a', 'prop')],
    );
    intake.forget(source);
    await odds([first(TWO)]);
    expect(await shown()).toBe('open abc: a -110, b -110');
  });

  it('is dropped while others come, and while an operator has the market suspended', async () => {
    await announce('a');
    await odds([first(THREE)]);
    await system.app
      .get(MarketsService)
      .suspend({ userId: admin.userId } as never, await idOf('a', 'prop'), 'x');
    intake.forget(source);
    await odds([first({ a: 150, b: 150, d: 260 })]);
    expect(await shown()).toBe('suspended abcd: a 150, b 150, d 260');
  });

  it("is not taken away of an operator's own market", async () => {
    await announce('a');
    const { id } = await game();
    const outcomes = Object.keys(THREE).map((key) => ({ key, label: key, american: 150 }));
    const offered = await admin.post(`admin/games/${id}/markets`, { key: 'first', title: 'First', outcomes });
    expect(offered.status).toBe(201);
    intake.forget(source);
    await odds([first(TWO)]);
    expect(await shown()).toBe('open abc: a -110, b -110, c 150');
  });

  it('keeps its last price once its game has begun, whatever is said then', async () => {
    await announce('a');
    await odds([first(THREE)]);
    await odds([first(TWO)]);
    const marketId = await idOf('a', 'prop');
    await system.moveTo(AFTER_START);
    const repository = system.app.get(FeedsRepository);
    const gone = await system.app
      .get(UnitOfWork)
      .run(async (manager) => repository.withdraw(manager, [{ marketId, outcome: 'a' }]));
    expect(gone).toEqual([]);
    // Nor is what was dropped an outcome that never had a price, which gets its first one even now.
    const { rows: taken } = await system.db.query(
      "SELECT * FROM odds_take(ARRAY[$1::uuid], ARRAY[$2::uuid], ARRAY['c'], ARRAY[gen_random_uuid()], ARRAY[400], ARRAY[NULL::numeric], ARRAY[5::bigint], ARRAY[1::bigint], '{}')",
      [(await game()).id, marketId],
    );
    expect(taken).toEqual([]);
    const prices = await rows<{ text: string }>(
      "SELECT concat_ws(' ', outcome, american) AS text FROM market_prices WHERE market_id = $1 ORDER BY 1",
      marketId,
    );
    expect(prices.map(({ text }) => text)).toEqual(['a -110', 'b -110', 'c']);
  });

  it('takes no bet of any who were waiting while it was dropped', async () => {
    const players = await make.members(60, WEEK);
    await announce('a');
    await odds([first(THREE)]);
    const marketId = await idOf('a', 'prop');
    const { id } = await game();
    const repository = system.app.get(FeedsRepository);
    let bets: Promise<string>[] = [];
    await system.app.get(UnitOfWork).run(async (manager) => {
      await repository.shutGames(manager, [id]);
      bets = players.map(async (player) => bet(player, 'c'));
      await eventually(async () => {
        const waiting = await rows(
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%place_bets%'",
        );
        return waiting.length > 0;
      });
      await repository.withdraw(manager, [{ marketId, outcome: 'c' }]);
    });
    expect(new Set(await Promise.all(bets))).toEqual(new Set(['422 OUTCOME_UNKNOWN']));
    expect(await rows('SELECT 1 FROM bets WHERE market_id = $1', marketId)).toEqual([]);
  });

  it('is bet on by many while its feed drops it and offers it again: no bet without the price of then', async () => {
    const players = await make.members(50, WEEK);
    await announce('a');
    await odds([first(THREE)]);
    const marketId = await idOf('a', 'prop');
    const feed = (async () => {
      for (let n = 0; n < 12; n += 1) await odds([first(n % 2 === 0 ? TWO : { ...THREE, c: 260 + n })]);
    })();
    const answers = await Promise.all(players.flatMap((player) => [bet(player, 'c'), bet(player, 'a')]));
    await feed;
    expect(answers.every((answer) => ['placed', '422 OUTCOME_UNKNOWN'].includes(answer))).toBe(true);
    expect(
      await rows(
        `SELECT b.id FROM bets b LEFT JOIN odds o ON o.id = b.odds_id AND o.market_id = b.market_id AND o.outcome = b.outcome
         WHERE b.market_id = $1 AND (o.id IS NULL OR (o.price_num, o.price_den) <> (b.price_num, b.price_den))`,
        marketId,
      ),
    ).toEqual([]);
    expect(await shown()).toBe('open abc: a 150, b 150, c 271');
    expect(await unbalanced(system)).toEqual([]);
  });
});

describe('a market of the score without one of its outcomes', () => {
  const without = (market: FeedMarket, outcome: string): FeedMarket => ({
    ...market,
    prices: market.prices.filter((price) => price.outcome !== outcome),
  });
  const threeWay: FeedMarket = {
    kind: 'three_way',
    line: null,
    prices: [
      { outcome: 'home', decimal: '2.5' },
      { outcome: 'draw', decimal: '3.2' },
      { outcome: 'away', decimal: '3' },
    ],
  };

  it.each([
    [moneyline(), 'away'],
    [spread(), 'home'],
    [total(), 'under'],
    [threeWay, 'draw'],
  ] as const)('is suspended until it is whole: %j without %s', async (market, outcome) => {
    await intake.schedule(source, [aGame('a', SUNDAY)]);
    await odds([market]);
    const [open] = await markets();
    await odds([without(market, outcome)]);
    expect(await markets()).toEqual([open!.replace('open', 'suspended feed_stale')]);
    expect(await openReasons()).toEqual(['odds a MARKET_INCOMPLETE']);
    await odds([market]);
    expect(await markets()).toEqual([open]);
  });
});
