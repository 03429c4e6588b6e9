import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BetsService } from '../../src/modules/bets/bets.service.js';
import { type Factors, payout } from '../../src/modules/settlement/domain/grading.js';
import { priceFromAmerican, priceFromDecimal, type Price } from '../../src/modules/sports/domain/odds.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import type { GameReport } from '../../src/modules/sports/sports.types.js';
import { DomainError } from '../../src/platform/http/domain-error.js';
import { Builders, type TestMarket, unbalanced } from '../support/builders.js';
import { Deliveries } from '../support/deliveries.js';
import { bothGradings, brokenHistories } from '../support/fresh-grades.js';
import { joinPool } from '../support/members.js';
import { addProp, addThreeWay, aParlay } from '../support/more-markets.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { aSubject } from '../support/subjects.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const BEFORE = '2023-10-03T12:00:00Z';
const START = '2023-10-03T17:00:00Z';
const AFTER = '2023-10-03T20:30:00Z';

let system: System;
let make: Builders;

beforeAll(async () => {
  system = await startSystemWithRules(
    { settlement: { chunkBets: 3, confirmAfterSeconds: 0 } },
    { worker: false, at: BEFORE },
  );
  make = new Builders(system);
  await make.week(WEEK);
});
afterAll(async () => system.stop());

const price: fc.Arbitrary<Price> = fc.oneof(
  fc.integer({ min: 100, max: 10_000 }).map(priceFromAmerican),
  fc.integer({ min: 100, max: 10_000 }).map((size) => priceFromAmerican(-size)),
  fc.integer({ min: 1_000_001, max: 99_999_999_999 }).map((millionths) => {
    const digits = String(millionths).padStart(7, '0');
    return priceFromDecimal(`${digits.slice(0, -6)}.${digits.slice(-6)}`);
  }),
);
const deadHeat = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 20 }))
  .map(([places, more]) => ({ num: places, den: places + more }));
const factors: fc.Arbitrary<Factors> = fc.record({
  v: fc.constantFrom({ num: 0, den: 1 }, { num: 1, den: 2 }, { num: 1, den: 1 }),
  w: fc.constantFrom(0 as const, 1 as const),
  h: fc.oneof(fc.constant({ num: 1, den: 1 }), deadHeat),
});
const bet = fc.record({ stake: fc.bigInt({ min: 1n, max: 1_000_000n }), price, factors });

describe('a payout', () => {
  it('is the same in SQL and in the domain, to the last credit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bet, { minLength: 500, maxLength: 500 }), async (bets) => {
        const column = (of: (one: (typeof bets)[number]) => bigint | number) =>
          bets.map((one) => String(of(one)));
        const { rows } = await system.db.query<{ payout: string }>(
          `SELECT bet_payout(s, n, d, vn, vd, w, hn, hd) AS payout
           FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::bigint[], $8::bigint[])
             WITH ORDINALITY AS b (s, n, d, vn, vd, w, hn, hd, i) ORDER BY i`,
          [
            column((one) => one.stake),
            column((one) => one.price.num),
            column((one) => one.price.den),
            column((one) => one.factors.v.num),
            column((one) => one.factors.v.den),
            column((one) => one.factors.w),
            column((one) => one.factors.h.num),
            column((one) => one.factors.h.den),
          ],
        );
        expect(rows.map((row) => row.payout)).toEqual(
          bets.map((one) => String(payout(one.stake, one.price, one.factors))),
        );
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    // The examples of the rules.
    { stake: 50n, american: 120, v: [0, 1], w: 1, h: [1, 1], pays: '110' },
    { stake: 50n, american: -140, v: [0, 1], w: 1, h: [1, 1], pays: '85' },
    { stake: 20n, american: 300, v: [0, 1], w: 1, h: [1, 3], pays: '26' },
  ])('of $stake at $american is $pays', async ({ stake, american, v, w, h, pays }) => {
    const { num, den } = priceFromAmerican(american);
    const { rows } = await system.db.query('SELECT bet_payout($1, $2, $3, $4, $5, $6, $7, $8) AS payout', [
      String(stake),
      String(num),
      String(den),
      ...v,
      w,
      ...h,
    ]);
    expect(rows).toEqual([{ payout: pays }]);
  });

  it('is what bets_grade pays, with any factors, once however often it runs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bet, { minLength: 60, maxLength: 60 }), async (bets) => {
        const [player] = await make.players(1);
        const userId = player!.userId;
        await joinPool(system, WEEK, [player!]);
        const stakes = bets.map(({ stake }) => String(stake));
        const total = bets.reduce((sum, { stake }) => sum + stake, 0n);
        const markets = bets.map(() => randomUUID());
        await system.db.query(
          `UPDATE pool_members SET starting = 1000 + $2, staked = $2, bets_placed = $3, bets_open = $3 WHERE user_id = $1`,
          [userId, String(total), bets.length],
        );
        const { rows: placed } = await system.db.query(
          `INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, price_num, price_den,
                             stake, potential_payout, placed_at)
           SELECT nextval('bet_id_seq'), m.week_id, m.pool_id, m.user_id, gen_random_uuid(), b.market, gen_random_uuid(), 'x',
                  b.num, b.den, b.stake, 0, $6
           FROM pool_members m, unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) AS b (market, stake, num, den)
           WHERE m.user_id = $1 RETURNING pool_id`,
          [
            userId,
            markets,
            stakes,
            bets.map((one) => String(one.price.num)),
            bets.map((one) => String(one.price.den)),
            BEFORE,
          ],
        );
        const grades = bets.map(({ factors: { v, w, h } }, index) => ({
          market_id: markets[index],
          outcome: 'x',
          status: 'won',
          reason: null,
          v_num: v.num,
          v_den: v.den,
          w,
          h_num: h.num,
          h_den: h.den,
        }));
        const settlement = randomUUID();
        const grade = async (regrade: boolean) =>
          (
            await system.db.query('SELECT bets_grade($1, $2, $3, $4, $5, $6, $7, $8) AS n', [
              settlement,
              WEEK,
              [placed[0].pool_id],
              markets,
              START,
              JSON.stringify(grades),
              AFTER,
              regrade,
            ])
          ).rows[0].n;
        expect([await grade(false), await grade(false), await grade(true)]).toEqual([bets.length, 0, 0]);
        const { rows } = await system.db.query(
          'SELECT market_id, payout FROM bets WHERE user_id = $1 ORDER BY array_position($2::uuid[], market_id)',
          [userId, markets],
        );
        const expected = bets.map((one) => payout(one.stake, one.price, one.factors));
        expect(rows.map((row) => row.payout)).toEqual(expected.map(String));
        const { rows: members } = await system.db.query(
          'SELECT balance FROM pool_members WHERE user_id = $1',
          [userId],
        );
        expect(members).toEqual([
          { balance: String(1000n + expected.reduce((sum, paid) => sum + paid, 0n)) },
        ]);
        // These bets name no market that exists.
        await system.db.query('DELETE FROM bets WHERE user_id = $1', [userId]);
        await system.db.query('DELETE FROM pool_members WHERE user_id = $1', [userId]);
      }),
      { numRuns: 5 },
    );
  });
});

/** Passes over a refusal with this code, and over nothing else. */
const allow = (code: string) => (error: unknown) => {
  if (!(error instanceof DomainError) || error.code !== code) throw error;
};

describe('corrections', () => {
  const OUTCOMES = {
    moneyline: ['home', 'away'],
    spread: ['home', 'away'],
    total: ['over', 'under'],
    three_way: ['home', 'draw', 'away'],
    prop: ['a', 'b', 'c'],
  } as const;
  type Kind = keyof typeof OUTCOMES;
  type Played = Record<Kind, TestMarket> & { id: string };
  const KINDS = Object.keys(OUTCOMES) as Kind[];
  const score = fc.integer({ min: 0, max: 30 });
  // Left out, nobody, one, a dead heat, somebody who cannot be bet on.
  const props = fc.option(fc.record({ first: fc.subarray(['a', 'b', 'c', 'x']) }), { nil: undefined });
  const withProps = <T extends object>(report: T, told: { first: string[] } | undefined) =>
    told === undefined ? report : { ...report, props: told };
  const verdict: fc.Arbitrary<GameReport> = fc.oneof(
    fc
      .tuple(fc.record({ status: fc.constant('final' as const), homeScore: score, awayScore: score }), props)
      .map(([report, told]) => withProps(report, told)),
    // Twice as often: of two of these the reason alone is another.
    fc.record({ status: fc.constantFrom('cancelled' as const, 'walkover' as const) }),
    fc.record({ status: fc.constantFrom('cancelled' as const, 'walkover' as const, 'abandoned' as const) }),
    fc
      .tuple(
        fc.record({
          status: fc.constant('abandoned' as const),
          homeScore: score,
          awayScore: score,
          minutesPlayed: fc.integer({ min: 40, max: 60 }),
        }),
        props,
      )
      .map(([report, told]) => withProps(report, told)),
  );
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('report' as const),
        game: fc.nat(1),
        verdict,
        confirm: fc.constantFrom('now' as const, 'now' as const, 'later' as const),
        // Settled before anything else is said, so that the next word finds graded bets.
        settled: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('confirm' as const), game: fc.nat(1) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('void' as const),
        game: fc.nat(1),
        kind: fc.constantFrom(...KINDS),
      }),
    },
    // Some of what waits is delivered, in any order, some of it twice, all at once.
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('deliver' as const),
        which: fc.array(fc.nat(20), { minLength: 1, maxLength: 8 }),
      }),
    },
    // Credits that were paid are staked again, so that a reversal does not find them.
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('stake' as const),
        player: fc.nat(3),
        share: fc.integer({ min: 1, max: 100 }),
      }),
    },
  );
  const pick = fc.constantFrom(
    ...KINDS.flatMap((kind) => OUTCOMES[kind].map((outcome) => [kind, outcome] as const)),
  );
  const parlay = fc.record({
    player: fc.nat(3),
    picks: fc.tuple(pick, pick),
    third: fc.boolean(),
    stake: fc.integer({ min: 1, max: 100 }),
  });
  const opening = fc.array(
    fc.record({
      player: fc.nat(3),
      game: fc.nat(1),
      pick,
      stake: fc.integer({ min: 1, max: 400 }),
    }),
    { minLength: 4, maxLength: 14 },
  );
  const lines = fc.record({
    spread: fc.integer({ min: -24, max: 24 }).map((quarters) => (quarters / 4).toFixed(2)),
    total: fc.integer({ min: 80, max: 200 }).map((quarters) => (quarters / 4).toFixed(2)),
    american: fc.constantFrom(-110, 100, 135, -250, 400),
  });

  it('in any order end where a settlement from nothing ends', async () => {
    const bets = system.app.get(BetsService);
    const results = system.app.get(ResultsService);
    const markets = system.app.get(MarketsService);
    const deliveries = new Deliveries(system);
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(lines, lines),
        opening,
        fc.array(parlay, { maxLength: 6 }),
        fc.array(step, { maxLength: 14 }),
        async (games, first, parlays, steps) => {
          await system.moveTo(BEFORE);
          const players = await make.players(4);
          await joinPool(system, WEEK, players.slice(0, 2), 100);
          await joinPool(system, WEEK, players.slice(2), 101);
          const userIds = players.map(({ userId }) => userId);
          const played: Played[] = [];
          for (const options of games) {
            const game = await make.game({ startsAt: START, ...options });
            const prop = { key: 'first', prices: { a: '4.0', b: '2.75', c: '6.5' } };
            played.push({
              ...game,
              three_way: await addThreeWay(system, game.id),
              prop: await addProp(system, game.id, prop),
            });
          }
          const later = await make.game({ startsAt: '2023-10-06T17:00:00Z' });
          for (const { player, picks, third, stake } of parlays)
            await aParlay(system, userIds[player]!, stake, [
              ...picks.map(([kind, outcome], game) => ({ market: played[game]![kind], outcome })),
              ...(third ? [{ market: later.moneyline, outcome: 'home' }] : []),
            ]);
          const stakeOn = async (
            player: number,
            game: Pick<Played, 'moneyline'> & Partial<Played>,
            kind: Kind,
            outcome: string,
            stake: number,
          ) => {
            const subject = aSubject(userIds[player]!, 'user');
            const body = {
              marketId: game[kind]!.id,
              outcome: outcome as 'home',
              stake,
              acceptOdds: 'any' as const,
            };
            const key = { key: randomUUID(), bodyHash: Buffer.alloc(32) };
            await bets.place(subject, body, key).catch(allow('INSUFFICIENT_CREDITS'));
          };
          for (const { player, game, pick: on, stake } of first)
            await stakeOn(player, played[game]!, ...on, stake);
          await system.moveTo(AFTER);

          for (const one of steps) {
            if (one.do === 'report') {
              await results.report(
                null,
                played[one.game]!.id,
                { ...one.verdict, reason: 'said otherwise' },
                { confirm: one.confirm },
              );
              if (one.settled) await deliveries.all();
            } else if (one.do === 'confirm') await results.confirm(played[one.game]!.id);
            else if (one.do === 'void')
              await markets
                .void(aSubject(userIds[0]!, 'admin'), played[one.game]![one.kind].id, 'wrong')
                .catch(allow('MARKET_STATE_CONFLICT'));
            else if (one.do === 'deliver') {
              const waiting = await deliveries.waiting();
              const chosen = waiting.length === 0 ? [] : one.which.map((n) => waiting[n % waiting.length]!);
              await Promise.all(chosen.map((delivery) => deliveries.hand(delivery)));
            } else {
              const { rows } = await system.db.query(
                'SELECT balance::int FROM pool_members WHERE user_id = $1',
                [userIds[one.player]],
              );
              const stake = Math.min(1000, Math.floor((rows[0].balance * one.share) / 100));
              if (stake > 0) await stakeOn(one.player, later, 'moneyline', 'home', stake);
            }
          }
          await system.moveTo('2023-10-06T21:00:00Z');
          await results.report(null, later.id, { status: 'final', homeScore: 7, awayScore: 0 });
          for (const { id } of played) await results.confirm(id);
          await deliveries.all();

          const { stored, fresh } = await bothGradings(system, userIds);
          expect(stored).toEqual(fresh);
          expect(await unbalanced(system)).toEqual([]);
          expect(await brokenHistories(system)).toEqual([]);
          const { rows: unfinished } = await system.db.query(
            "SELECT 1 FROM settlements WHERE status = 'running' AND game_id = ANY ($1)",
            [[...played, later].map(({ id }) => id)],
          );
          expect(unfinished).toEqual([]);
        },
      ),
      { numRuns: 25 },
    );
  });
});
