import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { v7 } from 'uuid';
import type { BetResult } from '../../src/modules/bets/domain/bet-machine.js';
import { deadHeat, type Grade, gradeOf } from '../../src/modules/settlement/domain/grading.js';
import { legFactor, type ParlayLeg, parlayVerdict } from '../../src/modules/settlement/domain/parlay.js';
import { priceFromDecimal } from '../../src/modules/sports/domain/odds.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import type { ResultsService } from '../../src/modules/sports/results.service.js';
import type { GameReport } from '../../src/modules/sports/sports.types.js';
import type { Builders, TestGame, TestMarket } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { Deliveries } from '../support/deliveries.js';
import { bothGradings, brokenHistories } from '../support/fresh-grades.js';
import { joinPool } from '../support/members.js';
import { addProp, addThreeWay, aParlay, type ParlayLegOn } from '../support/more-markets.js';
import { AFTER, BEFORE, final, playsWeek, START, WEEK } from '../support/played-week.js';
import { aSubject } from '../support/subjects.js';
import type { System } from '../support/system.js';

let system: System;
let make: Builders;
let deliveries: Deliveries;
let results: ResultsService;
let player: Client;

playsWeek({ settlement: { chunkBets: 2 } }, (week) => {
  ({ system, make, deliveries, results, player } = week);
});
afterEach(async () => {
  const { stored, fresh } = await bothGradings(system, [player.userId]);
  expect(stored).toEqual(fresh);
});

async function report(game: TestGame, what: GameReport): Promise<void> {
  await results.report(null, game.id, { ...what, reason: 'said otherwise' });
  await deliveries.all();
}

const games = async (count: number) => make.games(count, { startsAt: START });

const home = ({ moneyline }: TestGame): ParlayLegOn => ({ market: moneyline, outcome: 'home' });

async function betOf(id: string) {
  const { rows } = await system.db.query(
    `SELECT status, payout::int, reason, settlement_id IS NOT NULL AS settled,
            (SELECT array_agg(l.status ORDER BY number) FROM bet_legs l WHERE l.bet_id = b.id) AS legs
     FROM bets b WHERE id = $1`,
    [id],
  );
  return rows[0];
}

async function member() {
  const { rows } = await system.db.query(
    'SELECT balance::int, debt::int, staked::int, paid_out::int, bets_open FROM pool_members WHERE user_id = $1',
    [player.userId],
  );
  return rows[0];
}

async function regradesOf(id: string) {
  const { rows } = await system.db.query(
    `SELECT old_status, old_payout::int, new_status, new_payout::int FROM bet_regrades WHERE bet_id = $1
     ORDER BY settlement_id`,
    [id],
  );
  return rows.map((row) => Object.values(row).join(' '));
}

describe('a parlay', () => {
  it('waits for its last leg, and pays the product of its legs', async () => {
    const [one, two] = (await games(2)) as [TestGame, TestGame];
    const id = await aParlay(system, player.userId, 100, [home(one), home(two)]);
    await system.moveTo(AFTER);
    await report(one, final(20, 10));
    expect(await betOf(id)).toEqual({
      status: 'placed',
      payout: null,
      reason: null,
      settled: false,
      legs: ['won', 'placed'],
    });
    expect(await member()).toMatchObject({ balance: 900, bets_open: 1 });
    await report(two, final(20, 10));
    expect(await betOf(id)).toMatchObject({
      status: 'won',
      payout: 364,
      settled: true,
      legs: ['won', 'won'],
    });
    expect(await member()).toEqual({ balance: 1264, debt: 0, staked: 100, paid_out: 364, bets_open: 0 });
    expect(await regradesOf(id)).toEqual([]);
  });

  it('is lost with its first lost leg, and open again when a correction takes that back', async () => {
    const [one, two, three] = (await games(3)) as [TestGame, TestGame, TestGame];
    const id = await aParlay(system, player.userId, 100, [one, two, three].map(home));
    await system.moveTo(AFTER);
    await report(one, final(10, 20));
    expect(await betOf(id)).toMatchObject({ status: 'lost', payout: 0, legs: ['lost', 'placed', 'placed'] });
    expect(await member()).toMatchObject({ bets_open: 0 });
    await report(two, final(20, 10));
    await report(one, final(20, 10));
    expect(await betOf(id)).toEqual({
      status: 'placed',
      payout: null,
      reason: null,
      settled: false,
      legs: ['won', 'won', 'placed'],
    });
    expect(await member()).toMatchObject({ balance: 900, bets_open: 1 });
    await report(three, final(20, 10));
    expect(await betOf(id)).toMatchObject({ status: 'won', payout: 695 });
    await report(two, final(10, 20));
    expect(await betOf(id)).toMatchObject({ status: 'lost', payout: 0 });
    expect(await member()).toMatchObject({ balance: 900, debt: 0, paid_out: 0, bets_open: 0 });
    expect(await regradesOf(id)).toEqual(['lost 0 placed 0', 'won 695 lost 0']);
  });

  it('stays lost when a correction takes one of two lost legs back', async () => {
    const [one, two] = (await games(2)) as [TestGame, TestGame];
    const id = await aParlay(system, player.userId, 100, [home(one), home(two)]);
    await system.moveTo(AFTER);
    await report(one, final(10, 20));
    await report(two, final(10, 20));
    await report(one, final(20, 10));
    expect(await betOf(id)).toMatchObject({ status: 'lost', payout: 0, legs: ['won', 'lost'] });
    expect(await regradesOf(id)).toEqual([]);
  });

  it('makes a debt of what a correction cannot take back', async () => {
    const [one, two] = (await games(2)) as [TestGame, TestGame];
    await aParlay(system, player.userId, 1000, [home(one), home(two)]);
    const [later, last] = [
      await make.game({ startsAt: '2023-10-06T17:00:00Z' }),
      await make.game({ startsAt: '2023-10-06T17:00:00Z' }),
    ];
    await system.moveTo(AFTER);
    await report(one, final(20, 10));
    await report(two, final(20, 10));
    expect(await member()).toMatchObject({ balance: 3644 });
    await aParlay(system, player.userId, 3000, [home(later), home(last)]);
    await report(two, final(10, 20));
    expect(await member()).toMatchObject({ balance: 0, debt: 3000, bets_open: 1 });
  });

  it.each<[string, GameReport, GameReport, string, number, string | null]>([
    ['all void', { status: 'cancelled' }, { status: 'cancelled' }, 'void', 100, 'GAME_CANCELLED'],
    ['void for two reasons', { status: 'cancelled' }, { status: 'walkover' }, 'void', 100, 'LEGS_VOID'],
    ['void and pushed', { status: 'cancelled' }, final(10, 10), 'push', 100, null],
    ['pushed', final(10, 10), final(10, 10), 'push', 100, null],
    ['void and won', { status: 'cancelled' }, final(20, 10), 'won', 190, null],
    ['void and lost', { status: 'cancelled' }, final(10, 20), 'lost', 0, null],
  ])('whose legs are %s is told so', async (_, first, second, status, payout, reason) => {
    const [one, two] = (await games(2)) as [TestGame, TestGame];
    const id = await aParlay(system, player.userId, 100, [home(one), home(two)]);
    await system.moveTo(AFTER);
    await report(one, first);
    await report(two, second);
    expect(await betOf(id)).toMatchObject({ status, payout, reason });
  });

  it('of halves, of a dead heat and of a draw pays each its factor', async () => {
    const quarter = await make.game({ startsAt: START, spread: '-2.75' });
    const heat = await make.game({ startsAt: START });
    const drawn = await make.game({ startsAt: START });
    const prop = await addProp(system, heat.id, { key: 'first', prices: { a: '4.0', b: '3.0' } });
    const threeWay = await addThreeWay(system, drawn.id);
    const id = await aParlay(system, player.userId, 100, [
      { market: quarter.spread, outcome: 'home' },
      { market: prop, outcome: 'a' },
      { market: threeWay, outcome: 'draw' },
    ]);
    await system.moveTo(AFTER);
    await report(quarter, final(23, 20));
    await report(heat, { ...final(1, 0), props: { first: ['a', 'x', 'y'] } });
    await report(drawn, final(1, 1));
    // (1 + 21/11)/2 × 4/3 × 3.4
    expect(await betOf(id)).toMatchObject({ status: 'won', payout: 659, legs: ['half_won', 'won', 'won'] });
    const { rows } = await system.db.query(
      'SELECT factor_num::int AS num, factor_den::int AS den, reason FROM bet_legs WHERE bet_id = $1 ORDER BY number',
      [id],
    );
    expect(rows).toEqual([
      { num: 16, den: 11, reason: null },
      { num: 4, den: 3, reason: 'DEAD_HEAT' },
      { num: 17, den: 5, reason: null },
    ]);
  });

  it('taken after the start of one of its games has that leg void, and no other', async () => {
    const [one, two] = (await games(2)) as [TestGame, TestGame];
    const later = await make.game({ startsAt: '2023-10-03T19:00:00Z' });
    const late = await aParlay(system, player.userId, 100, [home(one), home(later)], '2023-10-03T18:00:00Z');
    const early = await aParlay(system, player.userId, 100, [home(two), home(later)]);
    await system.moveTo(AFTER);
    for (const game of [one, two, later]) await report(game, final(10, 20));
    // A late bet's leg is void whatever the result says: the domain's twin knows only a start of each game.
    expect(await betOf(late)).toMatchObject({ status: 'lost', legs: ['void', 'lost'] });
    expect(await betOf(early)).toMatchObject({ status: 'lost', legs: ['lost', 'lost'] });
    const { rows } = await system.db.query('SELECT reason FROM bet_legs WHERE bet_id = $1 AND number = 1', [
      late,
    ]);
    expect(rows).toEqual([{ reason: 'TAKEN_AFTER_START' }]);
  });

  it('with a leg on a market that is voided goes on without it', async () => {
    const [one, two] = (await games(2)) as [TestGame, TestGame];
    const id = await aParlay(system, player.userId, 100, [home(one), home(two)]);
    await system.app.get(MarketsService).void(aSubject(player.userId, 'admin'), one.moneyline.id, 'wrong');
    await deliveries.all();
    expect(await betOf(id)).toMatchObject({ status: 'placed', legs: ['void', 'placed'] });
    await system.moveTo(AFTER);
    await report(two, final(20, 10));
    expect(await betOf(id)).toMatchObject({ status: 'won', payout: 190 });
  });

  it('that was refunded or taken back is over for good', async () => {
    const [one, two] = (await games(2)) as [TestGame, TestGame];
    const refunded = await aParlay(system, player.userId, 100, [home(one), home(two)]);
    const back = await aParlay(system, player.userId, 100, [home(one), home(two)]);
    await system.db.query(
      `UPDATE bets SET status = 'void', reason = 'SELF_EXCLUDED', payout = stake, settlement_id = gen_random_uuid() WHERE id = $1`,
      [refunded],
    );
    await system.db.query(
      `UPDATE bets SET status = 'cancelled', reason = 'CANCELLED_BY_USER', settled_at = now() WHERE id = $1`,
      [back],
    );
    const before = [await betOf(refunded), await betOf(back), await member()];
    await system.moveTo(AFTER);
    for (const game of [one, two]) await report(game, final(20, 10));
    for (const game of [one, two]) await report(game, final(10, 20));
    expect([await betOf(refunded), await betOf(back), await member()]).toEqual(before);
    await system.db.query('DELETE FROM bet_legs WHERE bet_id = ANY ($1)', [[refunded, back]]);
    await system.db.query('DELETE FROM bets WHERE id = ANY ($1)', [[refunded, back]]);
    await system.db.query(
      'UPDATE pool_members SET balance = 1000, staked = 0, bets_open = 0, bets_placed = 0 WHERE user_id = $1',
      [player.userId],
    );
  });
});

describe('a refund of what has not begun', () => {
  const refund = async () =>
    (
      await system.db.query(
        'SELECT refunded, credits::int, standing FROM bets_refund_not_begun($1, $2, $3, $4)',
        [player.userId, randomUUID(), [WEEK], system.now()],
      )
    ).rows[0];

  it('gives a parlay back when none of its games has begun', async () => {
    const [one, two, off] = (await games(3)) as [TestGame, TestGame, TestGame];
    const later = await make.game({ startsAt: '2023-10-06T17:00:00Z' });
    const ids = [
      await aParlay(system, player.userId, 100, [home(one), home(later)]), // one has begun
      await aParlay(system, player.userId, 200, [home(later), home(off)]), // the other is put off
      await aParlay(system, player.userId, 50, [home(two), home(later)]), // the other is cancelled
    ];
    await results.report(null, off.id, { status: 'postponed' });
    await results.report(null, two.id, { status: 'cancelled' });
    await deliveries.all();
    await system.moveTo('2023-10-03T17:30:00Z');
    expect(await refund()).toEqual({ refunded: 2, credits: 250, standing: 1 });
    expect(await Promise.all(ids.map(async (id) => (await betOf(id)).status))).toEqual([
      'placed',
      'void',
      'void',
    ]);
    expect(await member()).toMatchObject({ balance: 900, bets_open: 1 });
    expect(await refund()).toEqual({ refunded: 0, credits: 0, standing: 1 });
    // Graded from nothing they would be open, or won: for the comparison after each test they are singles of nobody.
    await system.moveTo('2023-10-06T21:00:00Z');
    for (const game of [one, later]) await report(game, final(20, 10));
    expect(await Promise.all(ids.map(async (id) => (await betOf(id)).payout))).toEqual([364, 200, 50]);
    await system.db.query('DELETE FROM bet_legs WHERE bet_id = ANY ($1)', [ids]);
    await system.db.query('DELETE FROM bets WHERE id = ANY ($1)', [ids]);
    await system.db.query(
      'UPDATE pool_members SET balance = 1000, staked = 0, paid_out = 0, bets_placed = 0 WHERE user_id = $1',
      [player.userId],
    );
  });
});

describe('the verdict', () => {
  const grade: fc.Arbitrary<Grade> = fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .constantFrom<BetResult>('won', 'won', 'won', 'push', 'void', 'half_won', 'half_lost', 'lost')
        .map(gradeOf),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
        .map(([places, more]) => deadHeat(places, places + more)),
    },
  );
  const decimal = fc.integer({ min: 1_000_001, max: 30_000_000 }).map((millionths) => {
    const digits = String(millionths).padStart(7, '0');
    return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  });
  const MARKETS = 8;
  /** A market each: what it becomes first, and with each correction. */
  const rounds = fc.array(fc.record({ market: fc.nat(MARKETS - 1), grade }), { minLength: 4, maxLength: 20 });
  const parlay = fc.record({
    stake: fc.integer({ min: 1, max: 1000 }),
    legs: fc.uniqueArray(fc.nat(MARKETS - 1), { minLength: 2, maxLength: MARKETS }),
  });

  it('is the same in SQL and in the domain, whatever comes after what, and every credit is accounted for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(decimal, { minLength: MARKETS, maxLength: MARKETS }),
        fc.array(parlay, { minLength: 20, maxLength: 40 }),
        rounds,
        async (prices, parlays, steps) => {
          const [one] = (await make.players(1)) as [Client];
          await joinPool(system, WEEK, [one], 50);
          await system.db.query(
            'UPDATE pool_members SET balance = 50000, starting = 50000 WHERE user_id = $1',
            [one.userId],
          );
          const markets: TestMarket[] = [];
          for (const price of prices)
            markets.push(
              await addProp(system, (await make.game({ startsAt: START })).id, {
                key: 'k',
                prices: { x: price },
              }),
            );
          const ids: string[] = [];
          for (const { stake, legs } of parlays)
            ids.push(
              await aParlay(
                system,
                one.userId,
                stake,
                legs.map((n) => ({ market: markets[n]!, outcome: 'x' })),
                BEFORE,
              ),
            );
          const { rows: pools } = await system.db.query(
            'SELECT pool_id FROM pool_members WHERE user_id = $1',
            [one.userId],
          );

          const now = new Map<number, Grade>();
          for (const { market, grade: verdict } of steps) {
            const { factors } = verdict;
            const call = [
              v7(), // histories are read in the order of settlements
              WEEK,
              [pools[0].pool_id],
              [markets[market]!.id],
              START,
              JSON.stringify([
                {
                  market_id: markets[market]!.id,
                  outcome: 'x',
                  status: verdict.result,
                  reason: verdict.result === 'void' ? 'MARKET_VOIDED' : null,
                  v_num: factors.v.num,
                  v_den: factors.v.den,
                  w: factors.w,
                  h_num: factors.h.num,
                  h_den: factors.h.den,
                },
              ]),
              AFTER,
              now.has(market),
            ];
            const sql = 'SELECT bets_grade($1, $2, $3, $4, $5, $6, $7, $8) AS n';
            await system.db.query(sql, call);
            // Doing it again does nothing.
            expect((await system.db.query(sql, call)).rows).toEqual([{ n: 0 }]);
            now.set(market, verdict);

            const expected = parlays.map(({ stake, legs }, index) => {
              const stands = legs.map((n): ParlayLeg => {
                const told = now.get(n);
                if (!told) return { status: 'placed', factor: null };
                return { status: told.result, factor: legFactor(priceFromDecimal(prices[n]!), told.factors) };
              });
              const { status, payout } = parlayVerdict(BigInt(stake), stands);
              return { id: ids[index], status, payout: payout === null ? null : String(payout) };
            });
            const { rows } = await system.db.query(
              'SELECT id, status, payout FROM bets WHERE user_id = $1 ORDER BY id',
              [one.userId],
            );
            expect(rows).toEqual(expected);
            const { rows: sums } = await system.db.query(
              `SELECT m.staked - sum(b.stake) AS staked, m.paid_out - coalesce(sum(b.payout), 0) AS paid,
                      m.bets_open - count(*) FILTER (WHERE b.status = 'placed') AS open,
                      m.balance - m.debt - (m.starting - m.staked + m.paid_out) AS balance
               FROM pool_members m JOIN bets b USING (pool_id, user_id) WHERE m.user_id = $1 GROUP BY m.pool_id, m.user_id`,
              [one.userId],
            );
            expect(sums).toEqual([{ staked: '0', paid: '0', open: '0', balance: '0' }]);
          }
          expect(await brokenHistories(system)).toEqual([]);
          // What the test graded by itself has no games that ended.
          await system.db.query('DELETE FROM bet_legs WHERE bet_id = ANY ($1)', [ids]);
          await system.db.query('DELETE FROM bets WHERE user_id = $1', [one.userId]);
          await system.db.query('DELETE FROM pool_members WHERE user_id = $1', [one.userId]);
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  });
});

describe('parlays of one pool', () => {
  it('end right when their games are settled at once, by workers at once', async () => {
    const all = await games(6);
    const players = await make.players(12);
    await joinPool(system, WEEK, players.slice(0, 6), 60);
    await joinPool(system, WEEK, players.slice(6), 61);
    for (const [index, { userId }] of players.entries()) {
      await aParlay(system, userId, 100, all.map(home));
      await aParlay(system, userId, 100, all.slice(0, 2 + (index % 4)).map(home));
      await aParlay(system, userId, 50, [home(all[index % 6]!)].concat(home(all[(index + 1) % 6]!)));
    }
    await system.moveTo(AFTER);
    // Whoever's result comes later, the last leg is seen by one of them.
    for (const [index, game] of all.entries())
      await results.report(null, game.id, index === 5 ? final(10, 20) : final(20, 10));
    for (let waiting = await deliveries.waiting(); waiting.length > 0; waiting = await deliveries.waiting())
      await Promise.all(waiting.map((delivery) => deliveries.deliver(delivery)));
    const { stored, fresh } = await bothGradings(
      system,
      players.map(({ userId }) => userId),
    );
    expect(stored).toHaveLength(36);
    expect(stored).toEqual(fresh);
    expect(stored.filter(({ status }) => status === 'placed')).toEqual([]);
    await Promise.all(
      all.map((game) => results.report(null, game.id, { ...final(20, 10), reason: 'late call' })),
    );
    for (let waiting = await deliveries.waiting(); waiting.length > 0; waiting = await deliveries.waiting())
      await Promise.all(waiting.map((delivery) => deliveries.deliver(delivery)));
    const after = await bothGradings(
      system,
      players.map(({ userId }) => userId),
    );
    expect(after.stored).toEqual(after.fresh);
    expect(after.stored.every(({ status }) => status === 'won')).toBe(true);
  });
});
