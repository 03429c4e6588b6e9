import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { weekBounds } from '../../src/modules/pools/domain/calendar.js';
import type { MyTableDto } from '../../src/modules/pools/dto/me.dto.js';
import type { PrizeDto, TableRowDto } from '../../src/modules/pools/dto/weeks.dto.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { Rules } from '../../src/platform/config/rules.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { WeekSettlementService } from '../../src/modules/settlement/week-settlement.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { joinPool } from '../support/members.js';
import { moneyProblems } from '../support/pool-money.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

const POT = 1001;

let system: System;
let make: Builders;
let admin: Client;

beforeAll(async () => {
  system = await startSystemWithRules(
    { prizes: { potPerPool: POT, minStaked: 500, split: [50, 30, 20] } },
    { worker: false, at: '2023-10-16T04:00:00Z' },
  );
  make = new Builders(system);
  admin = await make.admin();
});
afterAll(async () => system.stop());

async function poolIds(week: number): Promise<string[]> {
  const { rows } = await system.db.query('SELECT id FROM pools WHERE week_id = $1 ORDER BY number', [week]);
  return rows.map((row) => row.id);
}

async function walletOf(userId: string): Promise<number> {
  const { rows } = await system.db.query(
    "SELECT coalesce(sum(balance), 0)::int AS n FROM ledger_accounts WHERE kind = 'user_available' AND owner = $1",
    [userId],
  );
  return rows[0].n;
}

describe('the table', () => {
  const week = 202342;
  let players: Client[];
  let pool: string;

  beforeAll(async () => {
    await make.week(week);
    players = await make.members(6, week);
    pool = (await poolIds(week))[0]!;
    await setCredits(players, [900, 1300, 1300, 1000, 700, 1000]);
  });

  it('ranks by credits, equal credits sharing a rank: 1, 1, 3, 3, 5, 6, page by page', async () => {
    const path = `weeks/2023-W42/pools/${pool}/leaderboard`;
    const whole = await players[0]!.get<TableRowDto[]>(`${path}?limit=100`);
    expect(whole.data.map((row) => [row.rank, row.credits])).toEqual([
      [1, 1300],
      [1, 1300],
      [3, 1000],
      [3, 1000],
      [5, 900],
      [6, 700],
    ]);
    const pages = await Promise.all(
      [1, 2, 3].map(async (page) => await players[0]!.get(`${path}?limit=2&page=${page}`)),
    );
    expect(pages.flatMap((page) => page.data)).toEqual(whole.data);
    expect(pages[2]!.body.meta.pagination).toEqual({ page: 3, limit: 2, total: 6 });
    expect((await players[0]!.get(`${path}?page=4&limit=2`)).data).toEqual([]);
  });

  it('shows the caller their own place with the rows around', async () => {
    const mine = await players[4]!.get<MyTableDto>('me/pool');
    expect(mine.data).toMatchObject({ rank: 6, pool: { id: pool, size: 6, credits: 700 } });
    expect(mine.data.around.map((row) => row.rank)).toEqual([3, 5, 6]);
    expect(mine.data.top).toHaveLength(6);
    const me = await players[4]!.get('me');
    expect(me.data).toMatchObject({
      user: { id: players[4]!.userId, role: 'user', termsAccepted: true },
      week: { id: '2023-W42', status: 'grouped' },
      pool: { id: pool, credits: 700, debt: 0 },
      nextWeek: { id: '2023-W43', registered: false },
    });
  });

  it('counts a debt against its member', async () => {
    await system.db.query(
      `UPDATE pool_members SET debt = 250, paid_out = paid_out - 250 - balance, balance = 0 WHERE user_id = $1`,
      [players[1]!.userId],
    );
    await new Promise((resolve) => setTimeout(resolve, 1100)); // shown tables are up to a second old
    const table = await players[0]!.get(`weeks/current/pools/${pool}/leaderboard`);
    expect(table.data.at(-1)).toMatchObject({ userId: players[1]!.userId, rank: 6, credits: -250 });
  });
});

describe('the prizes', () => {
  /** Closes a week in which members of pools have these credits and stakes; who they are, pool by pool. */
  async function over(week: number, pools: { credits: number[]; staked?: number[] }[]): Promise<Client[][]> {
    const { startsAt, endsAt } = weekBounds(week);
    await system.moveTo(startsAt);
    await make.week(week);
    const members: Client[][] = [];
    for (const [index, { credits, staked }] of pools.entries()) {
      const players = await make.players(credits.length);
      await joinPool(system, week, players, index + 1);
      await setCredits(players, credits, staked);
      members.push(players);
    }
    await system.moveTo(endsAt);
    await system.app.get(WeeksService).close(week);
    return members;
  }

  const settle = async (week: number) => await admin.post(`admin/weeks/${week}/settle`);

  async function awarded(week: number, players: readonly Client[]): Promise<[number, number, number[]][]> {
    const { rows } = await system.db.query(
      'SELECT user_id, amount::int, places FROM prizes WHERE week_id = $1 AND user_id = ANY ($2)',
      [week, players.map(({ userId }) => userId)],
    );
    return rows
      .map((row): [number, number, number[]] => [
        players.findIndex(({ userId }) => userId === row.user_id),
        row.amount,
        row.places,
      ])
      .toSorted((a, b) => a[0] - b[0]);
  }

  interface Pot {
    amount: number;
    carried_in: number;
    carried_out: number;
    paid: number;
  }

  async function pots(week: number): Promise<Pot[]> {
    const { rows } = await system.db.query<Pot>(
      `SELECT t.amount::int, t.carried_in::int, t.carried_out::int,
              (SELECT coalesce(sum(z.amount), 0)::int FROM prizes z WHERE z.pool_id = t.pool_id) AS paid
       FROM prize_pots t JOIN pools p ON p.id = t.pool_id WHERE t.week_id = $1 ORDER BY p.number`,
      [week],
    );
    for (const pot of rows) expect(pot.paid + pot.carried_out).toBe(pot.amount);
    expect(await moneyProblems(system)).toEqual([]);
    return rows;
  }

  it('share the pot 50/30/20 to the last unit, and are told', async () => {
    const [players] = (await over(202343, [{ credits: [900, 1500, 1200, 1100] }])) as [Client[]];
    const answer = await settle(202343);
    expect([answer.status, answer.data?.status]).toEqual([200, 'settled']);
    expect(await awarded(202343, players)).toEqual([
      [1, 501, [1]],
      [2, 300, [2]],
      [3, 200, [3]],
    ]);
    expect(await pots(202343)).toEqual([{ amount: POT, carried_in: 0, carried_out: 0, paid: POT }]);
    const [pool] = await poolIds(202343);
    const told = await players[0]!.get<PrizeDto[]>(`weeks/2023-W43/pools/${pool}/prizes`);
    expect(told.data.map((prize) => [prize.userId, prize.amount, prize.currency, prize.places])).toEqual([
      [players[1]!.userId, 501, 'USD', [1]],
      [players[2]!.userId, 300, 'USD', [2]],
      [players[3]!.userId, 200, 'USD', [3]],
    ]);
  });

  it('of the tied are the sum of the places they fill; what does not divide goes by the draw', async () => {
    const [two, three] = (await over(202344, [
      { credits: [1500, 1500, 900, 900, 900] },
      { credits: [1000, 1000, 1000] },
    ])) as [Client[], Client[]];
    await settle(202344);
    expect(await awarded(202344, two)).toEqual([
      [0, 401, [1, 2]],
      [1, 400, [1, 2]],
      [2, 67, [3]],
      [3, 67, [3]],
      [4, 66, [3]],
    ]);
    expect(await awarded(202344, three)).toEqual([
      [0, 334, [1, 2, 3]],
      [1, 334, [1, 2, 3]],
      [2, 333, [1, 2, 3]],
    ]);
  });

  it('go past those who staked too little: the places below move up', async () => {
    const [players] = (await over(202345, [
      { credits: [2000, 1500, 1400, 1300], staked: [499, 500, 499, 5000] },
    ])) as [Client[]];
    await settle(202345);
    expect(await awarded(202345, players)).toEqual([
      [1, 626, [1]],
      [3, 375, [2]],
    ]);
  });

  it('that nobody may win are carried over, past a week without a pool, once', async () => {
    await over(202346, [
      { credits: [1000, 1000], staked: [0, 0] },
      { credits: [1000], staked: [499] },
    ]);
    await settle(202346);
    expect(await pots(202346)).toEqual([
      { amount: POT, carried_in: 0, carried_out: POT, paid: 0 },
      { amount: POT, carried_in: 0, carried_out: POT, paid: 0 },
    ]);
    await over(202347, []);
    expect((await settle(202347)).data.status).toBe('settled');
    await over(202348, [{ credits: [1100, 900] }, { credits: [1000] }, { credits: [800] }]);
    await settle(202348);
    const carried = [668, 667, 667];
    expect(await pots(202348)).toEqual(
      carried.map((more) => ({ amount: POT + more, carried_in: more, carried_out: 0, paid: POT + more })),
    );
    const first = await pots(202348);
    expect((await settle(202346)).status).toBe(200);
    expect((await settle(202348)).status).toBe(200);
    expect(await pots(202348)).toEqual(first);
    await over(202349, [{ credits: [1000] }]);
    await settle(202349);
    expect(await pots(202349)).toEqual([{ amount: POT, carried_in: 0, carried_out: 0, paid: POT }]);
  });

  it('that were carried over are not lost when the week after is settled first', async () => {
    await over(202350, [{ credits: [1000], staked: [0] }]);
    await over(202351, [{ credits: [1000] }]);
    await settle(202351);
    await settle(202350);
    expect(await pots(202351)).toMatchObject([{ carried_in: 0 }]);
    await over(202352, [{ credits: [1000] }]);
    await Promise.all([settle(202352), settle(202352), settle(202352)]);
    expect(await pots(202352)).toEqual([{ amount: 2 * POT, carried_in: POT, carried_out: 0, paid: 2 * POT }]);
  });

  it('are those of the rules at the draw, whatever the rules say when they are awarded', async () => {
    const { prizes } = system.app.get(Rules);
    const before: object = structuredClone(Object.assign({}, prizes));
    const { startsAt, endsAt } = weekBounds(202401);
    await system.moveTo(startsAt);
    await make.week(202401);
    const players = await make.members(3, 202401);
    await setCredits(players, [1500, 1200, 900]);
    const kept = async () =>
      (await system.db.query('SELECT prize_rules FROM weeks WHERE id = 202401')).rows[0].prize_rules;
    expect(await kept()).toEqual(before);
    Object.assign(prizes, { currency: 'EUR', potPerPool: 5, split: [1], minStaked: 100_000 });
    try {
      await system.moveTo(endsAt);
      await system.app.get(WeeksService).close(202401);
      for (const status of [200, 200]) {
        expect((await settle(202401)).status).toBe(status);
        expect(await awarded(202401, players)).toEqual([
          [0, 501, [1]],
          [1, 300, [2]],
          [2, 200, [3]],
        ]);
      }
      const { rows } = await system.db.query('SELECT DISTINCT currency FROM prizes WHERE week_id = 202401');
      expect(rows).toEqual([{ currency: 'USD' }]);
    } finally {
      Object.assign(prizes, before);
    }
  });
});

describe('settling a week', () => {
  const week = 202402;
  const SUNDAY = '2024-01-14T18:00:00Z';

  it('waits for the end, for every game and for every bet; a correction afterwards makes the tables anew, and the prizes when an admin says so', async () => {
    const { startsAt, endsAt } = weekBounds(week);
    const deliveries = new Deliveries(system);
    const results = system.app.get(ResultsService);
    const settle = async () => await admin.post(`admin/weeks/2024-W02/settle`);
    await system.moveTo(startsAt);
    await make.week(week);
    const players = (await make.members(2, week)) as [Client, Client];
    const [pool] = await poolIds(week);
    const game = await make.game({ startsAt: SUNDAY });
    const idle = await make.game({ startsAt: SUNDAY });
    for (const [index, outcome] of ['home', 'away'].entries()) {
      const body = { marketId: game.moneyline.id, outcome, stake: 600, oddsId: game.moneyline.odds[outcome] };
      expect((await players[index]!.bet(body)).status).toBe(201);
    }
    expect((await settle()).error.code).toBe('WEEK_NOT_OVER');
    await system.moveTo(endsAt);
    await system.app.get(WeeksService).close(week);
    const early = await settle();
    expect([early.status, early.error.code, early.error.details]).toEqual([
      409,
      'WEEK_HAS_OPEN_GAMES',
      { games: 2 },
    ]);
    await results.report(null, game.id, { status: 'final', homeScore: 24, awayScore: 17 });
    expect((await settle()).error.details).toEqual({ games: 1 });
    await results.report(null, idle.id, { status: 'cancelled' });
    expect((await settle()).error.code).toBe('WEEK_HAS_OPEN_BETS');
    const live = await admin.get(`weeks/2024-W02/pools/${pool}/leaderboard`);
    expect(live.data).toMatchObject([
      { rank: 1, credits: 400, betsOpen: 1 },
      { rank: 1, credits: 400, betsOpen: 1 },
    ]);

    await deliveries.all();
    const settled = await admin.get('weeks/2024-W02');
    expect(settled.data).toMatchObject({ status: 'settled', settledAt: expect.any(String) });
    const winners = async () =>
      (
        await system.db.query(
          'SELECT user_id, amount::int FROM prizes WHERE week_id = $1 ORDER BY amount DESC',
          [week],
        )
      ).rows;
    expect(await winners()).toEqual([
      { user_id: players[0].userId, amount: 626 },
      { user_id: players[1].userId, amount: 375 },
    ]);
    const table = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1050)); // shown tables are up to a second old
      const { data } = await admin.get<TableRowDto[]>(`weeks/2024-W02/pools/${pool}/leaderboard`);
      return data.map((row): [string, number, number] => [row.userId, row.rank, row.credits]);
    };
    expect(await table()).toEqual([
      [players[0].userId, 1, 1545],
      [players[1].userId, 2, 400],
    ]);

    await results.report(admin.userId, game.id, {
      status: 'final',
      homeScore: 17,
      awayScore: 24,
      reason: 'wrong way round',
    });
    await deliveries.all();
    expect(await table()).toEqual([
      [players[1].userId, 1, 1545],
      [players[0].userId, 2, 400],
    ]);
    const won = async () => await Promise.all(players.map(async ({ userId }) => await walletOf(userId)));
    const first = await winners();
    expect(first).toEqual([
      { user_id: players[0].userId, amount: 626 },
      { user_id: players[1].userId, amount: 375 },
    ]);
    expect(await won()).toEqual([626, 375]);
    expect((await admin.get('weeks/2024-W02')).data.settledAt).toBe(settled.data.settledAt);

    const corrections = await Promise.all(Array.from({ length: 8 }, settle));
    expect(corrections.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await winners()).toEqual([
      { user_id: players[1].userId, amount: 626 },
      { user_id: players[0].userId, amount: 375 },
    ]);
    expect(await won()).toEqual([375, 626]);
    expect(await moneyProblems(system)).toEqual([]);

    await new Wallets(system).move(
      { kind: 'user_available', owner: players[1].userId, currency: 'USD' },
      { kind: 'escrow', owner: 'somebody', currency: 'USD' },
      1n,
    );
    await results.report(admin.userId, game.id, { status: 'cancelled', reason: 'annulled' });
    await deliveries.all();
    const spent = await settle();
    expect([spent.status, spent.error.code]).toEqual([409, 'PRIZE_SPENT']);
    expect((await winners())[0]).toEqual({ user_id: players[1].userId, amount: 626 });
    expect(await won()).toEqual([375, 625]);
    expect((await table()).map(([, rank, credits]) => [rank, credits])).toEqual([
      [1, 1000],
      [1, 1000],
    ]);
    const { rows } = await system.db.query(
      "SELECT action FROM audit_log WHERE subject_id = '202402' ORDER BY id",
    );
    expect(rows.map((row) => row.action)).toEqual([
      'week.group',
      'week.settle',
      'week.prizes_stand',
      'week.resettle',
      'week.prizes_corrected',
      ...Array<string>(8).fill('week.resettle'),
      'week.prizes_stand',
      'week.resettle',
    ]);
    expect(await moneyProblems(system)).toEqual([]);
  });

  it('happens once, whoever settles at once, and is what the deliveries do again without harm', async () => {
    const { endsAt } = weekBounds(202403);
    await make.week(202403, { group: false });
    await system.moveTo(endsAt);
    await make.week(202403);
    await system.app.get(WeeksService).close(202403);
    const service = system.app.get(WeekSettlementService);
    await Promise.all(Array.from({ length: 6 }, () => service.settleIfReady(202403)));
    const { rows } = await system.db.query(
      "SELECT action FROM audit_log WHERE subject_id = '202403' AND action = 'week.settle'",
    );
    expect(rows).toHaveLength(1);
  });
});

/** Gives members the credits wanted as if they had won or lost them with stakes of 600; no bet is kept of it. */
async function setCredits(
  players: readonly Client[],
  credits: readonly number[],
  staked: readonly number[] = [],
): Promise<void> {
  await system.db.query(
    `UPDATE pool_members m SET staked = c.staked, balance = c.credits, paid_out = c.credits - 1000 + c.staked, debt = 0
     FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS c (user_id, credits, staked) WHERE m.user_id = c.user_id`,
    [players.map(({ userId }) => userId), credits, players.map((_, index) => staked[index] ?? 600)],
  );
}
