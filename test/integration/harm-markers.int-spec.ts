import { getQueueToken } from '@nestjs/bullmq';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Queue } from 'bullmq';
import { v7 } from 'uuid';
import { MarkersService } from '../../src/modules/compliance/markers/markers.service.js';
import { QUEUES } from '../../src/platform/jobs/queues.js';
import { MetricsService } from '../../src/platform/observability/metrics.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { expireJobLocks } from '../support/crash.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { eventually, type System } from '../support/system.js';

const DAY = '2023-10-09';
const WEEKS = [202339, 202340, 202341];

const MARKERS = {
  score: 4,
  quietDays: 14,
  keepDays: 60,
  chunk: 7,
  catchUpDays: 7,
  nightEndsAt: 6,
  chaseHours: 24,
  chasePercent: 150,
  chasingLosses: { weight: 3, days: 7, threshold: 2, least: 0 },
  nightPlay: { weight: 2, days: 7, threshold: 50, least: 3 },
  risingStakes: { weight: 2, days: 7, threshold: 200, least: 100 },
  declinedDeposits: { weight: 2, days: 7, threshold: 3, least: 0 },
  paidInWhileWithdrawing: { weight: 2, days: 28, threshold: 2, least: 0 },
  frequentDeposits: { weight: 1, days: 7, threshold: 4, least: 0 },
  longPlay: { weight: 1, days: 7, threshold: 2, least: 0 },
  excludedDevice: { weight: 4 },
};

interface Bet {
  at: string;
  stake: number;
  lostAt?: string;
  week?: number;
}

endProcessesAfterAll();

/** What the night writes of rows as bets and payments leave them behind. */
describe('markers of harm', () => {
  let system: System;
  let make: Builders;
  let markers: MarkersService;

  beforeAll(async () => {
    const { compliance } = await rulesOf();
    system = await startSystemWithRules(
      { compliance: { ...compliance, markers: MARKERS } },
      { worker: false, at: '2023-10-10T09:00:00Z' },
    );
    make = new Builders(system);
    markers = system.app.get(MarkersService);
    for (const week of WEEKS) await system.db.query('SELECT bets_open_week($1)', [week]);
  });
  afterAll(async () => system.stop());

  /** Other sections of the file stay as they are. */
  async function rulesOf(): Promise<{ compliance: object }> {
    const { readFileSync } = await import('node:fs');
    const { parse } = await import('yaml');
    return { compliance: parse(readFileSync('config/compliance.yml', 'utf8')) as object };
  }

  async function bets({ userId }: Client, ...placed: Bet[]): Promise<void> {
    for (const { at, stake, lostAt, week = 202341 } of placed)
      await system.db.query(
        `INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, price_num, price_den, stake,
                           potential_payout, status, payout, settlement_id, placed_at, settled_at)
         VALUES (nextval('bet_id_seq'), $2, gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'home',
                 2, 1, $3::bigint, $3::bigint * 2, CASE WHEN $5::timestamptz IS NULL THEN 'placed' ELSE 'lost' END,
                 CASE WHEN $5::timestamptz IS NOT NULL THEN 0 END,
                 CASE WHEN $5::timestamptz IS NOT NULL THEN gen_random_uuid() END, $4, $5)`,
        [userId, week, stake, at, lostAt ?? null],
      );
  }

  async function payment(
    { userId }: Client,
    {
      confirmed = null,
      failed = null,
      declined = [],
      purpose = 'deposit',
      created = `${DAY}T00:00:00Z`,
    }: {
      confirmed?: string | null;
      failed?: string | null;
      declined?: string[];
      purpose?: string;
      created?: string;
    },
  ): Promise<void> {
    await system.db.query(
      `INSERT INTO payments (id, user_id, purpose, amount, currency, provider, status, paid_amount, paid_currency, paid_to_kind,
                             paid_to_owner, confirmed_at, failed_at, declined_at, created_at)
       VALUES ($1, $2::uuid, $3, 500, 'USD', 'sandbox', CASE WHEN $4::timestamptz IS NULL THEN 'failed' ELSE 'succeeded' END,
               CASE WHEN $4::timestamptz IS NOT NULL THEN 500 END, CASE WHEN $4::timestamptz IS NOT NULL THEN 'USD' END,
               CASE WHEN $4::timestamptz IS NOT NULL THEN 'user_available' END,
               CASE WHEN $4::timestamptz IS NOT NULL THEN $2::uuid::text END, $4, $5, $6, $7)`,
      [v7(), userId, purpose, confirmed, failed, declined, created],
    );
  }

  const dayOf = async ({ userId }: Client, day = DAY) =>
    (
      await system.db.query(
        `SELECT bets, night_bets, staked::int, chasing_bets, payments, declined, paid_in_while_withdrawing, checks, score, markers
         FROM harm_days WHERE user_id = $1 AND day = $2`,
        [userId, day],
      )
    ).rows[0];
  const everything = async () => ({
    days: (await system.db.query('SELECT * FROM harm_days ORDER BY user_id, day')).rows,
    flags: (await system.db.query('SELECT * FROM harm_flags ORDER BY id')).rows,
    runs: (await system.db.query('SELECT day, people, flagged FROM harm_runs ORDER BY day')).rows,
  });

  it('count what was staked, at night where the player is, and what chases a loss', async () => {
    const [utc, denver, idle] = (await make.players(3)) as [Client, Client, Client];
    // 05:30 UTC is 23:30 on the day before in Denver, where night has not begun.
    await system.db.query("UPDATE sessions SET zone = 'America/Denver' WHERE user_id = $1", [denver.userId]);
    for (const player of [utc, denver])
      await bets(
        player,
        { at: `${DAY}T05:30:00Z`, stake: 10 },
        { at: `${DAY}T05:59:59Z`, stake: 10 },
        { at: `${DAY}T06:00:00Z`, stake: 10 }, // midnight in Denver
        { at: `${DAY}T11:59:59Z`, stake: 10 },
        { at: '2023-10-08T23:59:59Z', stake: 500 }, // the day before
        { at: '2023-10-10T00:00:00Z', stake: 500 }, // the day after
      );
    await bets(idle, { at: '2023-10-08T12:00:00Z', stake: 10 });
    const chaser = (await make.players(1))[0] as Client;
    await bets(
      chaser,
      { at: '2023-10-06T12:00:00Z', stake: 100, lostAt: '2023-10-08T20:00:00Z', week: 202340 },
      { at: `${DAY}T19:59:59Z`, stake: 150 }, // 1.5 times what was lost within a day
      { at: `${DAY}T19:59:59Z`, stake: 149 },
      { at: `${DAY}T20:00:00Z`, stake: 150 }, // a day later
      { at: `${DAY}T21:00:00Z`, stake: 20, lostAt: `${DAY}T22:00:00Z` },
      { at: `${DAY}T22:30:00Z`, stake: 30 }, // the latest loss counts
      { at: `${DAY}T21:59:59Z`, stake: 30 }, // before it was lost
    );
    await markers.runDay(DAY);
    expect(await dayOf(utc)).toMatchObject({ bets: 4, night_bets: 2, staked: 40, chasing_bets: 0 });
    expect(await dayOf(denver)).toMatchObject({ bets: 4, night_bets: 2, staked: 40, chasing_bets: 0 });
    expect(await dayOf(idle)).toBeUndefined();
    expect(await dayOf(chaser)).toMatchObject({ bets: 6, staked: 529, chasing_bets: 2, score: 3 });
    expect((await dayOf(chaser)).markers).toEqual([
      {
        marker: 'chasingLosses',
        value: 2,
        threshold: 2,
        weight: 3,
        days: 7,
        figures: { chasing: 2, bets: 6 },
      },
    ]);
  });

  it('count payments, those that were declined, and those that came while money was on its way out', async () => {
    const day = '2023-10-08';
    const [payer, withdrawer, renewed] = (await make.players(3)) as [Client, Client, Client];
    for (const hour of ['01', '02', '03', '04'])
      await payment(payer, { confirmed: `${day}T${hour}:00:00Z`, created: `${day}T00:00:00Z` });
    await payment(payer, { confirmed: '2023-10-09T00:00:00Z', created: `${day}T00:00:00Z` });
    await payment(payer, {
      failed: `${day}T05:00:00Z`,
      declined: [`${day}T04:58:00Z`, `${day}T04:59:00Z`, '2023-10-07T23:59:59Z'],
      created: '2023-10-07T20:00:00Z',
    });
    await payment(renewed, {
      confirmed: `${day}T01:00:00Z`,
      purpose: 'subscription',
      created: `${day}T00:00:00Z`,
    });
    // Asked for at ten, and given back days later.
    await system.db.query(
      `ALTER TABLE withdrawals DISABLE TRIGGER ALL;
       INSERT INTO withdrawals (id, user_id, amount, currency, provider, hold_id, status, requested_at, settled_at)
       VALUES ('${v7()}', '${withdrawer.userId}', 500, 'USD', 'sandbox', '${v7()}', 'rejected', '${day}T10:00:00Z', '2023-10-12');
       ALTER TABLE withdrawals ENABLE TRIGGER ALL`,
    );
    for (const hour of ['09', '11', '12'])
      await payment(withdrawer, { confirmed: `${day}T${hour}:00:00Z`, created: `${day}T00:00:00Z` });
    await markers.runDay(day);
    expect(await dayOf(payer, day)).toMatchObject({ payments: 4, declined: 3, score: 3 });
    expect(await dayOf(withdrawer, day)).toMatchObject({
      payments: 3,
      paid_in_while_withdrawing: 2,
      score: 2,
    });
    expect(await dayOf(renewed, day)).toMatchObject({ payments: 0, score: 0 });
  });

  it('are written once, however often and by however many the night is done, and flags are raised once', async () => {
    const before = await everything();
    await Promise.all(Array.from({ length: 8 }, async () => await markers.runDay(DAY)));
    expect(await everything()).toEqual(before);
    const day = '2023-10-07';
    const players = await make.players(60);
    for (const [index, player] of players.entries())
      await bets(
        player,
        { at: '2023-10-06T12:00:00Z', stake: 10, lostAt: '2023-10-06T23:00:00Z', week: 202340 },
        ...Array.from({ length: 3 }, (_, n) => ({
          at: `${day}T0${n}:30:00Z`,
          stake: index % 2 ? 20 : 5,
          week: 202340,
        })),
      );
    await Promise.all(Array.from({ length: 8 }, async () => await markers.runDay(day)));
    const { rows } = await system.db.query(
      'SELECT user_id, score FROM harm_flags WHERE first_day = $1 ORDER BY user_id',
      [day],
    );
    expect(rows.map(({ user_id: id }) => id)).toEqual(
      players.flatMap(({ userId }, index) => (index % 2 ? [userId] : [])).toSorted(),
    );
    expect(new Set(rows.map(({ score }) => score))).toEqual(new Set([5]));
    const { rows: runs } = await system.db.query(
      'SELECT people, flagged, completed_at IS NOT NULL AS done FROM harm_runs WHERE day = $1',
      [day],
    );
    // One more: a payment of somebody was declined late that evening.
    expect(runs).toEqual([{ people: 61, flagged: 30, done: true }]);
    const metrics = await system.app.get(MetricsService).registry.metrics();
    expect(metrics).toMatch(/parley_harm_flags_waiting 30/);
  });

  it('show somebody again only after a while, or when it has become worse', async () => {
    const { rows } = await system.db.query<{ id: string; user_id: string }>(
      "SELECT id, user_id FROM harm_flags WHERE first_day = '2023-10-07' ORDER BY user_id LIMIT 3",
    );
    const admin = await make.admin();
    for (const { id } of rows)
      expect(
        (await admin.post(`admin/harm-flags/${id}/decide`, { decision: 'contacted', note: 'x' })).status,
      ).toBe(200);
    const [same, worse, left] = rows.map(({ user_id: userId }) => ({ userId }) as Client) as [
      Client,
      Client,
      Client,
    ];
    const next = '2023-10-10';
    for (const player of [same, worse, left])
      await bets(player, ...Array.from({ length: 3 }, (_, n) => ({ at: `${next}T0${n}:30:00Z`, stake: 20 })));
    for (const n of [1, 2, 3, 4])
      await payment(worse, { confirmed: `${next}T0${n}:00:00Z`, created: `${next}T00:00:00Z` });
    await markers.runDay(next);
    const open = async ({ userId }: Client) =>
      (
        await system.db.query('SELECT score FROM harm_flags WHERE user_id = $1 AND decided_at IS NULL', [
          userId,
        ])
      ).rows.map(({ score }) => score);
    expect([await open(same), await open(worse)]).toEqual([[], [6]]);
    await system.moveTo('2023-10-27T09:00:00Z');
    const later = '2023-10-11';
    await bets(left, ...Array.from({ length: 3 }, (_, n) => ({ at: `${later}T0${n}:30:00Z`, stake: 20 })));
    await markers.runDay(later);
    expect(await open(left)).toEqual([5]);
  });

  it('are the same when the worker is killed in the middle of the night', async () => {
    const day = '2023-10-12';
    const players = await make.players(200);
    for (const player of players)
      await bets(player, ...Array.from({ length: 4 }, (_, n) => ({ at: `${day}T0${n}:00:00Z`, stake: 30 })));
    for (const player of players)
      await payment(player, { failed: `${day}T05:00:00Z`, created: `${day}T00:00:00Z` });
    for (const player of players)
      await payment(player, {
        declined: [`${day}T05:00:00Z`, `${day}T05:01:00Z`],
        confirmed: `${day}T06:00:00Z`,
        created: `${day}T00:00:00Z`,
      });
    await system.moveTo('2023-10-13T09:00:00Z');
    const queue = system.app.get<Queue>(getQueueToken(QUEUES.harmMarkers));
    let worker = await (await TestProcess.start('worker', system.env)).ready();
    // Held up at each chunk, so that it is killed within one.
    await system.db.query(`
      CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END $$;
      CREATE TRIGGER slowly AFTER INSERT ON harm_days FOR EACH STATEMENT EXECUTE FUNCTION slowly()`);
    await queue.add('look', {});
    const people = async () =>
      (await system.db.query('SELECT people FROM harm_runs WHERE day = $1', [day])).rows[0]?.people ?? 0;
    let kills = 0;
    for (let reached = 0; kills < 3; kills += 1) {
      const least = reached + 20;
      reached = await eventually(async () => ((await people()) >= least ? await people() : null), 60_000);
      await worker.kill('SIGKILL');
      expect(reached).toBeLessThan(200);
      await expireJobLocks(system);
      worker = await (await TestProcess.start('worker', system.env)).ready();
    }
    await eventually(
      async () =>
        (await system.db.query('SELECT 1 FROM harm_runs WHERE day = $1 AND completed_at IS NOT NULL', [day]))
          .rowCount === 1,
      60_000,
    );
    await worker.kill('SIGTERM');
    expect(await people()).toBe(200);
    const { rows } = await system.db.query(
      `SELECT count(*)::int AS days, count(DISTINCT user_id)::int AS people, count(DISTINCT markers)::int AS findings,
              min(score) AS least, max(score) AS most
       FROM harm_days WHERE day = $1`,
      [day],
    );
    expect(rows).toEqual([{ days: 200, people: 200, findings: 1, least: 4, most: 4 }]);
    const { rows: flags } = await system.db.query(
      'SELECT count(*)::int AS flags, count(DISTINCT user_id)::int AS people FROM harm_flags WHERE first_day = $1',
      [day],
    );
    expect(flags).toEqual([{ flags: 200, people: 200 }]);
  }, 240_000);
});
