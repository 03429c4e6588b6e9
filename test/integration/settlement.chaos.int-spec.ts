import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { weekBounds } from '../../src/modules/pools/domain/calendar.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { MarketsService } from '../../src/modules/sports/markets.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import type { GameReport } from '../../src/modules/sports/sports.types.js';
import { Builders, type TestGame, type TestMarket, unbalanced } from '../support/builders.js';
import { configDir } from '../support/config-dir.js';
import { untilNothingIsLeft } from '../support/crash.js';
import { Deliveries } from '../support/deliveries.js';
import { bothGradings } from '../support/fresh-grades.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { seededRandom } from '../support/seeded-random.js';
import { aSubject } from '../support/subjects.js';
import { eventually, startSystem, type System } from '../support/system.js';

const WEEK = 202340;
const PLAYERS = 80;
const EARLY_GAMES = 18;
const LATER_GAMES = 12;
const CORRECTIONS = 50;
const VOIDS = 20;
const POSTPONEMENTS = 10;
/** Milliseconds between two workers' deaths, and between two things that happen. */
const DEATH_EVERY = 2000;
const STEP_EVERY = 250;

const OPENING = '2023-10-03T12:00:00Z';
const EARLY = '2023-10-05T17:00:00Z';
const AFTER_EARLY = '2023-10-06T12:00:00Z';
const LATER = '2023-10-07T20:00:00Z';
const DURING_LATER = '2023-10-07T21:00:00Z';
const POSTPONED_TO = '2023-10-07T23:00:00Z';
const AFTER_ALL = '2023-10-08T04:00:00Z';

interface WeekGame extends TestGame {
  three_way: TestMarket;
  prop: TestMarket;
  /** What is known of it by now: the facts in which the week ends. */
  said: GameReport | null;
  startsAt: string;
}

type Kind = 'moneyline' | 'spread' | 'total' | 'three_way' | 'prop';
const KINDS: readonly Kind[] = ['moneyline', 'spread', 'total', 'three_way', 'prop'];
const SCORERS = ['adams', 'brown', 'chase', 'diggs'];

/**
 * What members are left with, what became of each bet and leg, and the tables: to be the same in both weeks. Not why a bet is void: it
 * keeps the first reason while nothing but the reason changes.
 */
const OUTCOMES = {
  members: `SELECT pool_id, user_id, balance, debt, staked, paid_out, bets_placed, bets_open FROM pool_members ORDER BY 1, 2`,
  bets: `SELECT id, status, payout FROM bets ORDER BY id`,
  legs: `SELECT bet_id, number, status, factor_num, factor_den FROM bet_legs ORDER BY 1, 2`,
  tables: `SELECT pool_id, user_id, rank, credits, staked, paid_out, bets_placed FROM leaderboard_snapshots ORDER BY 1, 2`,
  prizes: `SELECT pool_id, user_id, places, amount FROM prizes ORDER BY 1, 2`,
};

/** What the two weeks have in common before anything is known of a game. */
const COPIED = [
  'users',
  'weeks',
  'week_passes',
  'pools',
  'week_entries',
  'pool_members',
  'games',
  'game_heads',
  'markets',
  'odds',
  'market_prices',
  'bets',
  'bet_legs',
];

endProcessesAfterAll();

describe('a week in which workers die and facts change', () => {
  const config = configDir({
    pools: { maxSize: 4 },
    // Each pool is a chunk of its own.
    settlement: { chunkBets: 1, gradersPerWorker: 2, secondApprovalBets: 1_000_000 },
  });
  const random = seededRandom(202_340);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
  const workers: TestProcess[] = [];
  const happened = {
    deaths: 0,
    inTheMiddle: 0,
    corrections: 0,
    voids: 0,
    postponements: 0,
    bets: 0,
    parlays: 0,
    /** Members at once. */
    inDebt: 0,
  };
  let system: System;
  let calm: System;
  let make: Builders;
  let adminId: string;
  let users: string[];
  let early: WeekGame[];
  let later: WeekGame[];

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: OPENING, env: { CONFIG_DIR: config.path } });
    make = new Builders(system);
    adminId = (await make.admin()).userId;
    await make.week(WEEK, { group: false });
    users = (await make.players(PLAYERS, { pass: WEEK })).map(({ userId }) => userId);
    await make.week(WEEK);
    early = await weekGames(EARLY_GAMES, EARLY);
    later = await weekGames(LATER_GAMES, LATER);
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
    await system.stop();
    await calm?.stop();
    config.remove();
  });

  async function weekGames(count: number, startsAt: string): Promise<WeekGame[]> {
    const games: WeekGame[] = [];
    for (let n = 0; n < count; n += 1) {
      const game = await make.game({
        startsAt,
        spread: ((random(33) - 16) / 4).toFixed(2),
        total: ((160 + random(33)) / 4).toFixed(2),
        american: pick([-110, 100, 135, -145]),
      });
      const three_way = await addMarket(game.id, { home: 125, draw: 240, away: 210 }, 'three_way');
      const prices = Object.fromEntries(SCORERS.map((key, index) => [key, 250 + 60 * index]));
      const prop = await addMarket(game.id, prices, 'prop');
      games.push({ ...game, three_way, prop, said: null, startsAt });
    }
    return games;
  }

  /** A market at these American odds, all of them of 100 at least. */
  async function addMarket(
    gameId: string,
    prices: Record<string, number>,
    kind: 'three_way' | 'prop',
  ): Promise<TestMarket> {
    const id = v7();
    const named = Object.keys(prices).map((key) => ({ key, label: key }));
    await system.db.query(
      `INSERT INTO markets (id, game_id, kind, prop, title, outcomes)
       VALUES ($1, $2, $3, $4, $4, $5)`,
      kind === 'prop'
        ? [id, gameId, kind, 'first_touchdown', JSON.stringify(named)]
        : [id, gameId, kind, null, null],
    );
    const odds = Object.fromEntries(Object.keys(prices).map((outcome) => [outcome, v7()]));
    for (const table of ['odds (id', 'market_prices (odds_id'])
      await system.db.query(
        `INSERT INTO ${table}, market_id, outcome, american, price_num, price_den)
         SELECT id, $1, outcome, american, american + 100, 100 FROM unnest($2::uuid[], $3::text[], $4::int[]) AS p (id, outcome, american)`,
        [id, Object.values(odds), Object.keys(odds), Object.values(prices)],
      );
    return { id, odds };
  }

  interface Slip {
    userId: string;
    market: TestMarket;
    outcome: string;
    stake: number;
  }

  function aSelection(game: WeekGame): Omit<Slip, 'userId' | 'stake'> {
    const market = game[pick(KINDS)];
    return { market, outcome: pick(Object.keys(market.odds)) };
  }

  /** Through the product's own function; each of another user. */
  async function place(slips: readonly Slip[]): Promise<void> {
    const { rows } = await system.db.query(
      `SELECT refusal FROM place_bets(p_users => $1, p_keys => $2, p_body_hashes => $3, p_markets => $4, p_outcomes => $5,
         p_stakes => $6, p_odds => $7, p_accepts => $8, p_weeks => $9, p_min_stake => 1, p_max_stake => 1000000,
         p_max_payout => 1000000000, p_minimum_age => 18, p_wait => true)`,
      [
        slips.map(({ userId }) => userId),
        slips.map(() => randomUUID()),
        slips.map(() => Buffer.alloc(32)),
        slips.map(({ market }) => market.id),
        slips.map(({ outcome }) => outcome),
        slips.map(({ stake }) => stake),
        slips.map(({ market, outcome }) => market.odds[outcome]),
        slips.map(() => 'exact'),
        slips.map(() => WEEK),
      ],
    );
    expect(rows.filter(({ refusal }) => refusal !== null)).toEqual([]);
    happened.bets += rows.length;
  }

  async function placeParlay(userId: string, games: readonly WeekGame[], stake: number): Promise<void> {
    const legs = games.map(aSelection);
    const { rows } = await system.db.query(
      `SELECT refusal FROM place_parlay(p_user => $1, p_key => $2, p_body_hash => $3, p_week => $4, p_markets => $5, p_outcomes => $6,
         p_odds => $7, p_stake => $8, p_accept => 'exact', p_min_stake => 1, p_max_stake => 1000000,
         p_max_payout => 1000000000000, p_minimum_age => 18)`,
      [
        userId,
        randomUUID(),
        Buffer.alloc(32),
        WEEK,
        legs.map(({ market }) => market.id),
        legs.map(({ outcome }) => outcome),
        legs.map(({ market, outcome }) => market.odds[outcome]),
        stake,
      ],
    );
    expect(rows).toEqual([{ refusal: null }]);
    happened.parlays += 1;
  }

  /** So many of them, each another one. */
  function some<T>(from: readonly T[], count: number): T[] {
    const left = [...from];
    return Array.from({ length: count }, () => left.splice(random(left.length), 1)[0]!);
  }

  /** On every early game, and parlays over early and later games; a good part of the credits is kept for later. */
  async function placeFirst(): Promise<void> {
    for (const game of early)
      for (let time = 0; time < 2; time += 1)
        await place(users.map((userId) => ({ userId, ...aSelection(game), stake: 5 + random(9) })));
    for (const userId of users) {
      for (let n = 0; n < 3; n += 1) await placeParlay(userId, some(early, 2 + random(2)), 7 + random(20));
      for (let n = 0; n < 2; n += 1)
        await placeParlay(userId, some([...early, ...later], 2 + random(11)), 7 + random(20));
    }
  }

  /** Nearly all that anybody has by then, so that a correction does not find what had been paid. */
  async function placeSecond(): Promise<void> {
    const { rows } = await system.db.query<{ userId: string; balance: number }>(
      'SELECT user_id AS "userId", balance::int FROM pool_members ORDER BY user_id',
    );
    for (const { userId, balance } of rows) {
      const stake = Math.floor(balance / 5);
      if (stake > 0)
        for (let n = 0; n < 2; n += 1) await placeParlay(userId, some(later, 2 + random(2)), stake);
    }
    for (let time = 0; time < 3; time += 1) {
      const able = rows.filter(({ balance }) => balance >= 5);
      await place(
        able.map(({ userId, balance }) => ({
          userId,
          ...aSelection(pick(later)),
          stake: Math.floor(balance / 5),
        })),
      );
    }
  }

  /** Mostly a score; whatever it is, all of it is said. */
  function anEnd(): GameReport {
    const props = { first_touchdown: some(SCORERS, pick([1, 1, 1, 2, 0])) };
    const scores = { homeScore: 10 + random(21), awayScore: 10 + random(21), props };
    switch (random(10)) {
      case 0:
        return { status: 'cancelled' };
      case 1:
        return { status: 'abandoned', ...scores, minutesPlayed: 45 + random(15) };
      case 2:
        return { status: 'walkover' };
      default:
        return { status: 'final', ...scores };
    }
  }

  async function say(game: WeekGame, report: GameReport): Promise<void> {
    await system.app.get(ResultsService).report(adminId, game.id, { ...report, reason: 'so it was' });
    game.said = report;
  }

  async function correct(game: WeekGame): Promise<void> {
    let report = anEnd();
    while (JSON.stringify(report) === JSON.stringify(game.said)) report = anEnd();
    await say(game, report);
    happened.corrections += 1;
  }

  const voided: string[] = [];

  async function voidOne(): Promise<void> {
    const open = [...early, ...later].flatMap((game) => KINDS.map((kind) => game[kind].id));
    const id = pick(open.filter((market) => !voided.includes(market)));
    await system.app.get(MarketsService).void(aSubject(adminId, 'admin'), id, 'wrong');
    voided.push(id);
    happened.voids += 1;
  }

  /** To a start within the grace, or to an unknown one. */
  async function postpone(game: WeekGame, known: boolean): Promise<void> {
    const startsAt = known ? { startsAt: new Date(POSTPONED_TO) } : {};
    await system.app
      .get(ResultsService)
      .report(adminId, game.id, { status: 'postponed', ...startsAt, reason: 'rain' });
    if (known) game.startsAt = POSTPONED_TO;
    happened.postponements += 1;
  }

  async function startWorker(): Promise<void> {
    workers.push(await TestProcess.start('worker', { ...system.env, LOG_LEVEL: 'fatal' }));
  }

  /** One of the workers dies, and another is started; whatever it was at, the credits are right. */
  async function kill(): Promise<void> {
    const victim = workers.splice(random(workers.length), 1)[0]!;
    const halfway = await eventually(halfGraded, 1000).catch(() => false);
    await victim.kill('SIGKILL');
    await startWorker();
    happened.deaths += 1;
    if (halfway) happened.inTheMiddle += 1;
    expect(await unbalanced(system)).toEqual([]);
    const { rows } = await system.db.query('SELECT count(*)::int AS n FROM pool_members WHERE debt > 0');
    happened.inDebt = Math.max(happened.inDebt, rows[0].n);
  }

  /** Whether some chunks of a settlement are done and some are not. */
  async function halfGraded(): Promise<boolean> {
    const { rowCount } = await system.db.query(
      `SELECT FROM settlements s JOIN settlement_chunks c ON c.settlement_id = s.id WHERE s.status = 'running'
       GROUP BY s.id HAVING count(c.done_at) BETWEEN 1 AND count(*) - 1`,
    );
    return rowCount !== 0;
  }

  async function untilAllIsSettled(): Promise<void> {
    await untilNothingIsLeft(async () => {
      const { rows } = await system.db.query(
        `SELECT (SELECT count(*)::int FROM outbox) AS events,
                (SELECT count(*)::int FROM settlements WHERE status = 'running') AS running,
                (SELECT count(*)::int FROM games g WHERE g.result_version > 0 AND NOT EXISTS (
                   SELECT FROM settlements s WHERE s.game_id = g.id AND s.result_version = g.result_version)) AS unstarted`,
      );
      return rows[0] as Record<string, number>;
    });
  }

  /** All of it in an order of its own, a worker dying now and then. */
  async function goThrough(steps: (() => Promise<void>)[]): Promise<void> {
    let [at, lastDeath] = [performance.now(), performance.now()];
    for (const step of some(steps, steps.length)) {
      await step();
      if (performance.now() - lastDeath > DEATH_EVERY) {
        await kill();
        lastDeath = performance.now();
      }
      at += STEP_EVERY;
      await sleep(Math.max(0, at - performance.now()));
    }
  }

  /** The same bets in a database of their own, where nothing is known of any game yet. */
  async function startCalm(): Promise<void> {
    calm = await startSystem({
      worker: false,
      at: system.now().toISOString(),
      env: { CONFIG_DIR: config.path },
      prepare: async (db) => {
        const client = await db.connect();
        await client.query('SELECT bets_open_week($1)', [WEEK]);
        await client.query("SET session_replication_role = 'replica'");
        for (const table of COPIED) {
          const { rows } = await system.db.query(
            `SELECT coalesce(jsonb_agg(t), '[]')::text AS all FROM ${table} t`,
          );
          await client.query(
            `INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1)`,
            [rows[0].all],
          );
        }
        await client.query("SET session_replication_role = 'origin'");
        await client.query(`
          UPDATE bets SET status = 'placed', payout = NULL, reason = NULL, settlement_id = NULL, settled_at = NULL;
          UPDATE bet_legs SET status = 'placed', factor_num = NULL, factor_den = NULL, reason = NULL, settlement_id = NULL;
          UPDATE markets SET status = 'open', suspended_by = NULL;
          UPDATE games SET status = 'scheduled', home_score = NULL, away_score = NULL, minutes_played = NULL, periods = NULL,
                           props = NULL, result_version = 0, confirmed_at = NULL;
          UPDATE pool_members SET balance = greatest(starting + adjustments - staked, 0),
                                  debt = greatest(staked - starting - adjustments, 0), paid_out = 0, bets_open = bets_placed;`);
        await client.query(
          'UPDATE games g SET starts_at = s.at FROM unnest($1::uuid[], $2::timestamptz[]) AS s (id, at) WHERE g.id = s.id',
          [[...early, ...later].map(({ id }) => id), [...early, ...later].map(({ startsAt }) => startsAt)],
        );
        client.release();
      },
    });
  }

  async function settleInOneGo(): Promise<void> {
    for (const id of voided) await calm.app.get(MarketsService).void(aSubject(adminId, 'admin'), id, 'wrong');
    for (const { id, said } of [...early, ...later])
      await calm.app.get(ResultsService).report(adminId, id, { ...said!, reason: 'so it was' });
    await calm.app.get(WeeksService).close(WEEK);
    await new Deliveries(calm).all();
  }

  async function outcomeOf(of: System, what: keyof typeof OUTCOMES): Promise<unknown[]> {
    return (await of.db.query(OUTCOMES[what])).rows;
  }

  /**
   * Changes of a graded bet that hang in the air: that end neither in the bet as it is nor in the next change, or that reverse what
   * was reversed already. By what reverses what, since the settlements of a parlay's games go on side by side.
   */
  async function brokenChains(of: System): Promise<unknown[]> {
    const { rows } = await of.db.query(
      `SELECT r.* FROM bet_regrades r JOIN bets b ON b.id = r.bet_id AND b.week_id = r.week_id
       CROSS JOIN LATERAL (
         SELECT count(*) AS n FROM bet_regrades n
         WHERE n.bet_id = r.bet_id AND n.reversed_settlement_id = r.settlement_id AND n.old_status = r.new_status
           AND n.old_payout = r.new_payout) next
       WHERE (r.old_status, r.old_payout) = (r.new_status, r.new_payout)
          OR CASE WHEN r.new_status = 'placed' THEN next.n > 0
             ELSE next.n + ((b.settlement_id, b.status, b.payout) IS NOT DISTINCT FROM (r.settlement_id, r.new_status, r.new_payout))::int <> 1 END
       UNION ALL
       SELECT r.* FROM bet_regrades r WHERE 1 < (
         SELECT count(*) FROM bet_regrades o WHERE o.bet_id = r.bet_id AND o.reversed_settlement_id = r.reversed_settlement_id)`,
    );
    return rows;
  }

  it('ends as the same week that is settled in one go, to the last credit', async () => {
    await startWorker();
    await startWorker();
    await placeFirst();
    await system.moveTo(AFTER_EARLY);
    for (const game of early) await say(game, anEnd());
    await untilAllIsSettled();
    await placeSecond();
    await system.moveTo(DURING_LATER);

    // Corrections and voids of what is over, while some of what is to come is put off.
    const corrections = Array.from({ length: CORRECTIONS }, () => () => correct(pick(early)));
    const voids = Array.from({ length: VOIDS }, () => voidOne);
    const putOff = later.slice(0, POSTPONEMENTS).map((game, index) => () => postpone(game, index % 2 === 0));
    const half = (steps: (() => Promise<void>)[], part: 0 | 1) =>
      steps.filter((_, index) => index % 2 === part);
    await goThrough([...half(corrections, 0), ...half(voids, 0), ...putOff]);
    await system.moveTo(AFTER_ALL);
    const ends = later.map((game) => () => say(game, anEnd()));
    await goThrough([...half(corrections, 1), ...half(voids, 1), ...ends]);
    await untilAllIsSettled();

    expect(happened).toMatchObject({ corrections: CORRECTIONS, voids: VOIDS, postponements: POSTPONEMENTS });
    process.stdout.write(`\n${JSON.stringify(happened)}\n`);
    expect(happened.deaths).toBeGreaterThan(4);
    expect(happened.inTheMiddle).toBeGreaterThan(1);
    expect(happened.inDebt).toBeGreaterThan(0);
    await system.moveTo(weekBounds(WEEK).endsAt);
    await startCalm();
    await system.app.get(WeeksService).close(WEEK);
    await settleInOneGo();
    for (const each of [system, calm])
      await eventually(async () => {
        const { rows } = await each.db.query('SELECT status FROM weeks WHERE id = $1', [WEEK]);
        return rows[0].status === 'settled';
      }, 30_000);

    for (const what of Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[]) {
      const [chaotic, orderly] = [await outcomeOf(system, what), await outcomeOf(calm, what)];
      expect(orderly.length).toBeGreaterThan(0);
      const wrong = chaotic.flatMap((row, index) =>
        JSON.stringify(row) === JSON.stringify(orderly[index]) ? [] : [[row, orderly[index]]],
      );
      expect([what, chaotic.length, wrong.slice(0, 5)]).toEqual([what, orderly.length, []]);
    }
    for (const each of [system, calm]) {
      expect(await unbalanced(each)).toEqual([]);
      expect(await brokenChains(each)).toEqual([]);
      const { stored, fresh } = await bothGradings(each, users);
      expect(stored).toEqual(fresh);
      const { rows } = await each.db.query(
        `SELECT sum(m.bets_open)::int AS open, sum(m.staked) = (SELECT sum(stake) FROM bets) AS staked,
                  sum(m.paid_out) = (SELECT sum(payout) FROM bets) AS paid FROM pool_members m`,
      );
      expect(rows).toEqual([{ open: 0, staked: true, paid: true }]);
    }
  }, 90_000);
});
