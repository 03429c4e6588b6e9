import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import type { Builders, TestGame } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { lockWaits } from '../support/crash.js';
import { startPlayedWeek, WEEK } from '../support/played-week.js';
import { betsOf, creditsOf, homeWins, legOn, reprice, spend, type TestLeg } from '../support/slips.js';
import { eventually, type System } from '../support/system.js';

const SUNDAY = '2023-10-08T17:00:00Z';

let system: System;
let make: Builders;

beforeAll(async () => {
  ({ system, make } = await startPlayedWeek({
    pools: { minStake: 10, maxStake: 800 },
    bets: { maxPayout: 50_000 },
  }));
});
afterAll(async () => system.stop());

const aPlayer = async () => make.member(WEEK);
const games = async (count: number) => make.games(count, { startsAt: SUNDAY });

/** Statements of this database that wait for a lock. */
const waiting = (count: number) => eventually(async () => (await lockWaits(system)) === count);

describe('a parlay', () => {
  let player: Client;
  beforeEach(async () => {
    player = await aPlayer();
  });

  it('pays the exact product of its prices: 100 at 2.060 and 4.550 is 937', async () => {
    const [one, two] = (await games(2)) as [TestGame, TestGame];
    const first = await reprice(system, one.moneyline, 'home', { decimal: '2.06' });
    const second = await reprice(system, two.moneyline, 'away', { decimal: '4.55' });
    const legs = [
      { marketId: one.moneyline.id, outcome: 'home', oddsId: first },
      { marketId: two.moneyline.id, outcome: 'away', oddsId: second },
    ];
    const { status, data } = await player.bet({ legs, stake: 100 });
    expect(status).toBe(201);
    expect(data).toEqual({
      betId: expect.stringMatching(/^\d+$/),
      kind: 'parlay',
      status: 'placed',
      remainingCredits: 900,
      potentialPayout: 937,
      stake: 100,
      marketId: null,
      outcome: null,
      odds: { oddsId: null, american: null, decimal: '9.3730' },
      placedAt: expect.any(String),
      legs: [
        {
          gameId: one.id,
          marketId: one.moneyline.id,
          outcome: 'home',
          odds: { oddsId: first, american: null, decimal: '2.0600' },
        },
        {
          gameId: two.id,
          marketId: two.moneyline.id,
          outcome: 'away',
          odds: { oddsId: second, american: null, decimal: '4.5500' },
        },
      ],
    });
    const shown = (await player.get(`bets/${data.betId}`)).data;
    expect(shown).toMatchObject({
      kind: 'parlay',
      gameId: null,
      marketId: null,
      outcome: null,
      odds: data.odds,
      potentialPayout: 937,
      status: 'placed',
      legs: data.legs.map((leg: object) => ({ ...leg, status: 'placed', reason: null })),
    });
    expect((await player.get('bets')).data).toEqual([shown]);
    expect(await creditsOf(system, player.userId)).toEqual({
      balance: 900,
      staked: 100,
      debt: 0,
      placed: 1,
      open: 1,
    });
  });

  it('of any 2 to 12 legs pays what the whole numbers say, or is told how much may be staked', async () => {
    const twelve = await games(12);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1010, max: 9000 }), { minLength: 2, maxLength: 12 }),
        fc.integer({ min: 10, max: 60 }),
        async (thousandths, stake) => {
          const bettor = await aPlayer();
          const legs: TestLeg[] = [];
          for (const [index, price] of thousandths.entries()) {
            const market = twelve[index]!.moneyline;
            const oddsId = await reprice(system, market, 'home', { decimal: (price / 1000).toFixed(3) });
            legs.push({ marketId: market.id, outcome: 'home', oddsId });
          }
          const num = thousandths.reduce((product, price) => product * BigInt(price), 1n);
          const den = 1000n ** BigInt(thousandths.length);
          const payout = (BigInt(stake) * num) / den;
          const largest = ((50_000n + 1n) * den - 1n) / num;
          expect((largest * num) / den).toBeLessThanOrEqual(50_000n);
          expect(((largest + 1n) * num) / den).toBeGreaterThan(50_000n);
          const { data, error } = await bettor.bet({ legs, stake });
          expect(error ? [error.code, error.details] : data.potentialPayout).toEqual(
            payout > 50_000n
              ? ['PAYOUT_TOO_LARGE', { field: 'stake', maximum: Number(largest) }]
              : Number(payout),
          );
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it.each([
    { title: 'one leg', change: (legs: TestLeg[]) => ({ legs: legs.slice(0, 1), stake: 50 }) },
    {
      title: 'thirteen legs',
      change: (legs: TestLeg[]) => ({ legs: Array.from({ length: 13 }, () => legs[0]), stake: 50 }),
    },
    { title: 'a market beside its legs', change: (legs: TestLeg[]) => ({ ...legs[0], legs, stake: 50 }) },
    { title: 'neither market nor legs', change: () => ({ stake: 50 }) },
    {
      title: 'a market without an outcome',
      change: (legs: TestLeg[]) => ({ marketId: legs[0]!.marketId, stake: 50 }),
    },
    { title: 'neither stake nor toWin', change: (legs: TestLeg[]) => ({ legs }) },
    { title: 'stake and toWin', change: (legs: TestLeg[]) => ({ legs, stake: 50, toWin: 50 }) },
    {
      title: 'toWin at no price',
      change: ([one, two]: TestLeg[]) => ({
        legs: [one, { marketId: two!.marketId, outcome: two!.outcome }],
        toWin: 50,
        acceptOdds: 'any',
      }),
    },
    { title: 'legs that are none', change: () => ({ legs: { 0: {}, 1: {} }, stake: 50 }) },
    {
      title: 'a leg with more',
      change: (legs: TestLeg[]) => ({ legs: [legs[0], { ...legs[1], x: 1 }], stake: 50 }),
    },
    { title: 'null for legs', change: () => ({ legs: null, stake: 50 }) },
  ])('is refused as malformed with $title, and says where', async ({ change }) => {
    const legs = (await games(2)).map(homeWins);
    const { status, error } = await player.bet(change(legs));
    expect([status, error.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(error.details['fields']).toEqual(
      expect.arrayContaining([{ field: expect.any(String), problems: expect.any(Array) }]),
    );
    expect(await betsOf(system, player.userId)).toEqual([]);
  });
});

describe('what a parlay is refused for', () => {
  interface Condition {
    code: string;
    details: object;
    /** Of a leg, which it is done to. */
    apply: (scene: { legs: TestLeg[]; all: TestGame[]; at: number }) => unknown;
  }

  /** In the documented order. */
  const OF_A_LEG: Condition[] = [
    {
      code: 'MARKET_NOT_FOUND',
      details: { marketId: expect.any(String) },
      apply: ({ legs, at }) => (legs[at]!.marketId = randomUUID()),
    },
    {
      code: 'GAME_NOT_IN_WEEK',
      details: { startsAt: expect.any(String) },
      apply: ({ all, at }) =>
        system.db.query("UPDATE games SET starts_at = '2023-10-10T17:00:00Z' WHERE id = $1", [all[at]!.id]),
    },
    {
      code: 'MARKET_NOT_OPEN',
      details: { status: 'suspended' },
      apply: ({ all, at }) =>
        system.db.query("UPDATE markets SET status = 'suspended' WHERE id = $1", [all[at]!.moneyline.id]),
    },
    {
      code: 'GAME_STARTED',
      details: { startsAt: expect.any(String) },
      apply: ({ all, at }) =>
        system.db.query("UPDATE games SET status = 'in_progress' WHERE id = $1", [all[at]!.id]),
    },
    {
      code: 'OUTCOME_UNKNOWN',
      details: { field: 'outcome' },
      apply: ({ legs, at }) => (legs[at]!.outcome = 'draw'),
    },
    {
      code: 'ODDS_UNKNOWN',
      details: { field: 'oddsId' },
      apply: ({ legs, at }) => (legs[at]!.oddsId = randomUUID()),
    },
  ];
  const POSITIONS = [0, 1, 2, 3];
  const EACH = OF_A_LEG.flatMap((condition) => POSITIONS.map((at) => ({ ...condition, at })));

  async function scene(): Promise<{ all: TestGame[]; legs: TestLeg[]; player: Client }> {
    const all = await games(4);
    return { all, legs: all.map(homeWins), player: await aPlayer() };
  }

  async function unchanged(player: Client, act: () => Promise<Answer>): Promise<Answer> {
    const before = await creditsOf(system, player.userId);
    const answer = await act();
    expect(await creditsOf(system, player.userId)).toEqual(before);
    expect(await betsOf(system, player.userId)).toEqual([]);
    const { rows } = await system.db.query('SELECT FROM idempotency_keys WHERE user_id = $1', [
      player.userId,
    ]);
    expect(rows).toEqual([]);
    return answer;
  }

  it.each(EACH)('is $code, of the leg at $at, which it names', async ({ code, details, apply, at }) => {
    const { all, legs, player } = await scene();
    await apply({ all, legs, at });
    const { error } = await unchanged(player, () => player.bet({ legs, stake: 50 }));
    expect([error?.code, error?.details]).toEqual([code, { leg: at + 1, ...details }]);
  });

  const PAIRS = OF_A_LEG.flatMap((first, index) =>
    OF_A_LEG.slice(index + 1).map((second) => ({ first, second })),
  );
  it.each(PAIRS)(
    'is $first.code before $second.code, whichever leg each is of',
    async ({ first, second }) => {
      const { all, legs, player } = await scene();
      await second.apply({ all, legs, at: 0 });
      await first.apply({ all, legs, at: 2 });
      const { error } = await unchanged(player, () => player.bet({ legs, stake: 50 }));
      expect([error?.code, error?.details['leg']]).toEqual([first.code, 3]);
    },
  );

  it('is the first leg of two that meet the same', async () => {
    const { all, legs, player } = await scene();
    await OF_A_LEG[2]!.apply({ all, legs, at: 3 });
    await OF_A_LEG[2]!.apply({ all, legs, at: 1 });
    const { error } = await player.bet({ legs, stake: 50 });
    expect([error.code, error.details]).toEqual(['MARKET_NOT_OPEN', { leg: 2, status: 'suspended' }]);
  });

  /** What is of the slip, in the documented order, between the legs' outcomes and their prices. */
  it('is what the whole slip meets, in its order', async () => {
    const { all, legs, player } = await scene();
    const change = await reprice(system, all[1]!.moneyline, 'home', { american: 120 });
    const ask = async (over: object = {}) =>
      (await unchanged(player, () => player.bet({ legs, stake: 50, ...over }))).error;
    expect(await ask()).toMatchObject({
      code: 'ODDS_CHANGED',
      details: { legs: [{ leg: 2, current: { oddsId: change, american: 120, decimal: '2.2000' } }] },
    });
    await system.app.get(ComplianceService).exclude(player.userId, null);
    expect((await ask()).code).toBe('SELF_EXCLUDED');
    await spend(system, player, 970);
    expect(await ask()).toMatchObject({
      code: 'INSUFFICIENT_CREDITS',
      details: { field: 'stake', available: 30 },
    });
    const dear = await reprice(system, all[2]!.moneyline, 'home', { decimal: '5000' });
    expect(dear).toEqual(expect.any(String));
    expect(await ask()).toMatchObject({ code: 'PAYOUT_TOO_LARGE', details: { field: 'stake', maximum: 1 } });
    expect(await ask({ stake: 801 })).toMatchObject({ code: 'STAKE_TOO_LARGE', details: { maximum: 800 } });
    expect(await ask({ stake: 9 })).toMatchObject({ code: 'STAKE_TOO_SMALL', details: { minimum: 10 } });
    const twice = [...legs, legOn(all[1]!.total, 'over')];
    expect(await ask({ stake: 9, legs: twice })).toMatchObject({
      code: 'PARLAY_SAME_GAME',
      details: { gameId: all[1]!.id, legs: [2, 5] },
    });
    await system.db.query("UPDATE weeks SET status = 'closed' WHERE id = $1", [WEEK]);
    try {
      expect((await ask({ legs: twice })).code).toBe('WEEK_NOT_PLAYING');
    } finally {
      await system.db.query("UPDATE weeks SET status = 'grouped' WHERE id = $1", [WEEK]);
    }
    const [outsider] = (await make.players(1)) as [Client];
    expect((await outsider.bet({ legs, stake: 9 })).error.code).toBe('NOT_IN_POOL');
    await spend(system, player, -970);
  });

  it.each([
    { acceptOdds: 'exact', to: [-105, 130], code: 'ODDS_CHANGED', told: [1, 3] },
    { acceptOdds: 'better', to: [-105, 130], code: null, told: [] },
    { acceptOdds: 'better', to: [-105, -120], code: 'ODDS_CHANGED', told: [3] },
    { acceptOdds: 'any', to: [-300, -300], code: null, told: [] },
  ])('goes by acceptOdds $acceptOdds leg by leg: $to', async ({ acceptOdds, to, code, told }) => {
    const { all, legs, player } = await scene();
    await reprice(system, all[0]!.moneyline, 'home', { american: to[0]! });
    await reprice(system, all[2]!.moneyline, 'home', { american: to[1]! });
    const { error, data } = await player.bet({ legs, stake: 10, acceptOdds });
    expect(error?.code ?? null).toBe(code);
    const legsOf = (list: unknown) => list as { leg: number; odds: { american: number } }[];
    expect(legsOf(error?.details['legs'] ?? []).map(({ leg }) => leg)).toEqual(told);
    expect(legsOf(data?.legs ?? []).map(({ odds }) => odds.american)).toEqual(
      code === null ? [to[0], -110, to[1], -110] : [],
    );
  });

  it('waits for whoever suspends, and then sees it', async () => {
    const { all, legs, player } = await scene();
    for (const [at, game] of all.entries()) {
      const suspending = await system.db.connect();
      try {
        await suspending.query('BEGIN');
        await suspending.query('SELECT parley_gate_shut($1)', [game.id]);
        await suspending.query("UPDATE markets SET status = 'suspended' WHERE id = $1", [game.moneyline.id]);
        const answer = player.bet({ legs, stake: 50 });
        await waiting(1);
        await suspending.query('COMMIT');
        expect((await answer).error).toMatchObject({ code: 'MARKET_NOT_OPEN', details: { leg: at + 1 } });
      } finally {
        suspending.release();
      }
      await system.db.query("UPDATE markets SET status = 'open' WHERE id = $1", [game.moneyline.id]);
    }
    expect(await betsOf(system, player.userId)).toEqual([]);
  });
});
