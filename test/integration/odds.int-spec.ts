import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { type PriceTaken, OddsIntakeService } from '../../src/modules/sports/odds/odds-intake.service.js';
import type { Subject } from '../../src/platform/security/subject.js';
import { Builders, type TestGame } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { addProp, addThreeWay } from '../support/more-markets.js';
import type { Json } from '../support/odds-follower.js';
import { startSystem, type System } from '../support/system.js';

describe('prices that move', () => {
  let system: System;
  let make: Builders;
  let intake: OddsIntakeService;
  let reader: Client;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    intake = system.app.get(OddsIntakeService);
    [reader] = (await make.players(1)) as [Client];
  });
  afterAll(async () => system.stop());

  const american = (
    game: TestGame,
    market: 'moneyline' | 'spread' | 'total',
    outcome: string,
    price: number,
  ): PriceTaken => ({ gameId: game.id, marketId: game[market].id, outcome, american: price, decimal: null });

  const seqOf = async (game: TestGame): Promise<number> =>
    Number((await system.db.query('SELECT seq FROM game_heads WHERE game_id = $1', [game.id])).rows[0].seq);

  const oddsOf = async (marketId: string, outcome: string) =>
    (
      await system.db.query(
        'SELECT id, american FROM odds WHERE market_id = $1 AND outcome = $2 ORDER BY created_at, id',
        [marketId, outcome],
      )
    ).rows;

  it('are stored when they change, and only then', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const before = await seqOf(game);
    const same = [american(game, 'moneyline', 'home', -110), american(game, 'moneyline', 'away', -110)];
    expect(await intake.take(same, [game.id])).toBe(0);
    expect(await seqOf(game)).toBe(before);
    const moved = [american(game, 'moneyline', 'home', -120), american(game, 'moneyline', 'away', -110)];
    expect(await intake.take(moved, [])).toBe(1);
    expect(await intake.take(moved, [])).toBe(0);
    expect(await seqOf(game)).toBe(before + 1);
    expect((await oddsOf(game.moneyline.id, 'home')).map((row) => row.american)).toEqual([-110, -120]);
    expect(await oddsOf(game.moneyline.id, 'away')).toHaveLength(1);
    const { rows } = await system.db.query(
      'SELECT outcome, american, seq::int, odds_id FROM market_prices WHERE market_id = $1 ORDER BY outcome',
      [game.moneyline.id],
    );
    expect(rows.map(({ outcome, american: price, seq }) => [outcome, price, seq])).toEqual([
      ['away', -110, 0],
      ['home', -120, before + 1],
    ]);
    expect(rows[1].odds_id).toBe((await oddsOf(game.moneyline.id, 'home'))[1].id);
  });

  it('keep decimal prices to the letter, and tell that a feed has spoken though nothing changed', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const said = {
      gameId: game.id,
      marketId: game.total.id,
      outcome: 'over',
      american: null,
      decimal: '2.060',
    };
    expect(await intake.take([said], [game.id])).toBe(1);
    expect(await intake.take([{ ...said, decimal: '2.06' }], [game.id])).toBe(0);
    const { rows } = await system.db.query(
      `SELECT p.decimal::text, p.price_num::int, p.price_den::int, h.fresh_at FROM market_prices p
       JOIN game_heads h ON h.game_id = $2 WHERE p.market_id = $1 AND p.outcome = 'over'`,
      [game.total.id, game.id],
    );
    expect(rows[0]).toMatchObject({ decimal: '2.060000', price_num: 103, price_den: 50 });
    expect(Math.abs(rows[0].fresh_at.getTime() - system.now().getTime())).toBeLessThan(10_000);
  });

  it('take the last word of one call, and nothing of a price that is none or of another game', async () => {
    const [game, other] = [
      await make.game({ startsAt: '2023-10-08T17:00:00Z' }),
      await make.game({ startsAt: '2023-10-08T17:00:00Z' }),
    ];
    expect(
      await intake.take(
        [100, 105, 110].map((price) => american(game, 'spread', 'home', price)),
        [],
      ),
    ).toBe(1);
    expect((await oddsOf(game.spread.id, 'home')).map((row) => row.american)).toEqual([-110, 110]);
    const strange = { ...american(game, 'spread', 'home', 120), gameId: other.id };
    expect(await intake.take([strange], [])).toBe(0);
    await expect(
      intake.take([american(game, 'spread', 'home', 120), american(game, 'spread', 'away', 99)], []),
    ).rejects.toThrow(RangeError);
    expect(await oddsOf(game.spread.id, 'home')).toHaveLength(2);
  });

  it('are of outcomes that their market has: a bet on any other could never be graded', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const prop = await addProp(system, game.id, { key: 'mvp', prices: { a: '1.9', b: '1.9' } });
    const threeWay = await addThreeWay(system, game.id);
    const markets = { ...game, prop, threeWay };
    await system.db.query('DELETE FROM market_prices WHERE market_id = ANY ($1)', [
      [prop.id, threeWay.id, game.moneyline.id, game.total.id],
    ]);
    const taken = async (market: 'moneyline' | 'spread' | 'total' | 'prop' | 'threeWay', outcome: string) =>
      intake.take(
        [{ gameId: game.id, marketId: markets[market].id, outcome, american: 150, decimal: null }],
        [],
      );
    for (const [market, outcome] of [
      ['moneyline', 'draw'],
      ['spread', 'over'],
      ['total', 'home'],
      ['threeWay', 'under'],
      ['prop', 'c'],
      ['prop', 'home'],
    ] as const)
      expect([market, outcome, await taken(market, outcome)]).toEqual([market, outcome, 0]);
    for (const [market, outcome] of [
      ['moneyline', 'away'],
      ['total', 'under'],
      ['threeWay', 'draw'],
      ['prop', 'b'],
    ] as const)
      expect([market, outcome, await taken(market, outcome)]).toEqual([market, outcome, 1]);
  });

  it('of a game that has begun or is put off stay as they were, but an outcome without one gets its first', async () => {
    const [begun, off] = [
      await make.game({ startsAt: '2023-10-03T11:00:00Z' }),
      await make.game({ startsAt: '2023-10-08T17:00:00Z' }),
    ];
    await system.db.query(`UPDATE games SET status = 'postponed' WHERE id = $1`, [off.id]);
    for (const game of [begun, off]) {
      expect(await intake.take([american(game, 'moneyline', 'home', 300)], [game.id])).toBe(0);
      await system.db.query('DELETE FROM market_prices WHERE market_id = $1', [game.total.id]);
      expect(await intake.take([american(game, 'total', 'over', 300)], [])).toBe(1);
      expect(await intake.take([american(game, 'total', 'over', 310)], [])).toBe(0);
    }
  });

  it('are numbered without gaps under 50 takers and an operator who suspends and resumes', async () => {
    const games = await Promise.all(
      Array.from({ length: 4 }, () => make.game({ startsAt: '2023-10-08T17:00:00Z' })),
    );
    const before = await Promise.all(games.map(seqOf));
    const admin: Subject = { userId: reader.userId } as Subject;
    const markets = system.app.get(MarketsService);
    let moves = 0;
    const taker = async (n: number) => {
      for (let round = 0; round < 8; round += 1) {
        const prices = games
          .toSorted(() => Math.random() - 0.5)
          .map((game) => american(game, 'moneyline', n % 2 ? 'home' : 'away', 101 + n * 8 + round));
        const stored = await intake.take(prices, []);
        moves += stored;
      }
    };
    const operator = async () => {
      for (let round = 0; round < 6; round += 1)
        for (const game of games) {
          await markets.suspend(admin, game.spread.id, 'a test');
          await markets.resume(admin, game.spread.id, 'a test');
        }
    };
    await Promise.all([...Array.from({ length: 50 }, (_, n) => taker(n)), operator()]);
    // Of each game: what was stored has the numbers 1, 2, 3, … between the states of its market.
    for (const [index, game] of games.entries()) {
      const { rows } = await system.db.query(
        `SELECT count(*)::int AS stored FROM odds WHERE market_id = $1`,
        [game.moneyline.id],
      );
      expect(await seqOf(game)).toBe(before[index]! + (rows[0].stored - 2) + 12);
      const { rows: current } = await system.db.query(
        `SELECT p.odds_id, (SELECT o.id FROM odds o WHERE o.market_id = p.market_id AND o.outcome = p.outcome
                            ORDER BY o.created_at DESC, o.id DESC LIMIT 1) AS last
         FROM market_prices p WHERE p.market_id = $1`,
        [game.moneyline.id],
      );
      for (const { odds_id, last } of current) expect(odds_id).toBe(last);
    }
    expect(moves).toBeGreaterThan(1000);
  }, 60_000);

  it('are listed newest first, page by page, each once, with opening and closing price', async () => {
    const game = await make.game({ startsAt: '2023-10-03T12:10:00Z' });
    for (let n = 1; n <= 12; n += 1)
      await intake.take(
        [
          american(game, 'moneyline', 'home', 100 + n),
          ...(n % 3 === 0 ? [american(game, 'moneyline', 'away', 100 + n)] : []),
        ],
        [],
      );
    const path = `markets/${game.moneyline.id}/odds/history`;
    const all: Json[] = [];
    let cursor: string | null = null;
    do {
      const answer: Json = await reader.get(`${path}?limit=5${cursor === null ? '' : `&cursor=${cursor}`}`);
      expect(answer.status).toBe(200);
      all.push(...answer.data);
      cursor = answer.body.meta.pagination.nextCursor;
    } while (cursor !== null);
    expect(all.filter((row) => row.outcome === 'home').map((row) => row.american)).toEqual([
      112, 111, 110, 109, 108, 107, 106, 105, 104, 103, 102, 101, -110,
    ]);
    expect(all.filter((row) => row.outcome === 'away').map((row) => row.american)).toEqual([
      112, 109, 106, 103, -110,
    ]);
    expect(new Set(all.map((row) => row.oddsId)).size).toBe(18);
    const flagged = (flag: string) =>
      all.filter((row) => row[flag]).map((row) => [row.outcome, row.american]);
    expect(Object.fromEntries(flagged('opening'))).toEqual({ home: -110, away: -110 });
    expect(flagged('closing')).toEqual([]);
    const before = await reader.get(`markets/${game.moneyline.id}`);
    expect(before.data.prices.map((price: Json) => [price.outcome, price.american, price.closing])).toEqual([
      ['home', 112, null],
      ['away', 112, null],
    ]);
    const only = await reader.get(`${path}?outcome=away&to=${all[3].at}&limit=100`);
    expect(only.data.every((row: Json) => row.outcome === 'away' && row.at < all[3].at)).toBe(true);
    await system.moveTo('2023-10-03T12:10:01Z');
    const after = await reader.get(`markets/${game.moneyline.id}`);
    expect(after.data.prices.map((price: Json) => [price.opening.american, price.closing.american])).toEqual([
      [-110, 112],
      [-110, 112],
    ]);
    const first = await reader.get(`${path}?limit=3`);
    expect(first.data.map((row: Json) => [row.outcome, row.closing])).toEqual(
      expect.arrayContaining([
        ['home', true],
        ['away', true],
        ['home', false],
      ]),
    );
    expect((await reader.get(`markets/${v7()}/odds/history`)).error.code).toBe('MARKET_NOT_FOUND');
    expect((await reader.get(`${path}?cursor=eA`)).error.code).toBe('INVALID_CURSOR');
  });

  it('lie in the partition of their day, which a look-up by id alone finds', async () => {
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    await intake.take([american(game, 'moneyline', 'home', 175)], []);
    const [, row] = await oddsOf(game.moneyline.id, 'home');
    const plan = (await system.db.query(`EXPLAIN SELECT * FROM odds WHERE id = '${row.id}'`)).rows
      .map((line) => line['QUERY PLAN'])
      .join('\n');
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    expect(plan.match(/odds_\w+/g)?.filter((name) => !name.includes('pkey'))).toEqual([`odds_${day}`]);
    const { rows } = await system.db.query(
      'SELECT tableoid::regclass::text AS part FROM odds WHERE id = $1',
      [row.id],
    );
    expect(rows[0].part).toBe(`odds_${day}`);
  });
});
