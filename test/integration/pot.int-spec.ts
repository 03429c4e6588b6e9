import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { weekBounds } from '../../src/modules/pools/domain/calendar.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { WeekSettlementService } from '../../src/modules/settlement/week-settlement.service.js';
import { BoxOffice } from '../support/box-office.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { expireJobLocks, holding } from '../support/crash.js';
import { moneyProblems } from '../support/pool-money.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { eventually, type System } from '../support/system.js';

const CLOSINGS = 50;

let system: System;
let office: BoxOffice;
let make: Builders;
let admin: Client;
const workers: TestProcess[] = [];

beforeAll(async () => {
  system = await startSystemWithRules(
    {
      prizes: { source: 'entryFees', share: 75, minStaked: 100, split: [50, 30, 20] },
      pools: { maxSize: 4 },
    },
    { worker: false, at: '2023-10-03T12:00:00Z' },
  );
  office = await BoxOffice.open(system);
  make = new Builders(system);
  admin = await make.admin();
  await make.week(202340, { group: false });
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.kill('SIGKILL')));
  expect(await moneyProblems(system)).toEqual([]);
});
afterAll(async () => office.bench.close());

/** Twelve who have paid and three who have not play a week in which two buy back; it is over. */
async function played(week: number): Promise<Client[]> {
  await make.week(week, { group: false });
  const paying = await make.players(12);
  for (const player of paying) await office.buy(player, 'week_pass');
  const free = await make.players(3, { pass: week });
  const { startsAt, endsAt } = weekBounds(week);
  await system.moveTo(startsAt);
  await make.week(week);
  const everyone = [...paying, ...free];
  const { rows } = await system.db.query(
    'SELECT m.user_id FROM pool_members m JOIN pools p ON p.id = m.pool_id WHERE m.week_id = $1 AND p.number > 1',
    [week],
  );
  const elsewhere = paying.filter(({ userId }) => rows.some((row) => row.user_id === userId));
  for (const player of elsewhere.slice(0, 2)) {
    await system.db.query(
      'UPDATE pool_members SET staked = balance, balance = 0 WHERE week_id = $1 AND user_id = $2',
      [week, player.userId],
    );
    await office.buy(player, 'buy_back');
  }
  await office.bench.deliver();
  await system.moveTo(endsAt);
  return everyone;
}

/** Everybody but those of one pool has staked, and has other credits than the others. */
async function stake(week: number, players: readonly Client[]): Promise<void> {
  await system.db.query(
    `UPDATE pool_members m SET staked = m.staked + 200, paid_out = m.paid_out + 200 + 7 * m.draw_position,
            balance = m.balance + 7 * m.draw_position
     FROM pools p WHERE m.week_id = $1 AND m.user_id = ANY ($2) AND p.id = m.pool_id AND p.number > 1`,
    [week, players.map(({ userId }) => userId)],
  );
}

async function startWorker(): Promise<TestProcess> {
  const worker = await TestProcess.start('worker', system.env);
  workers.push(worker);
  return worker;
}

const count = async (sql: string, ...values: unknown[]): Promise<number> =>
  Number((await system.db.query(`SELECT count(*) AS n FROM ${sql}`, values)).rows[0].n);
const sum = async (kind: string) =>
  Number(
    (
      await system.db.query('SELECT coalesce(sum(balance), 0) AS n FROM ledger_accounts WHERE kind = $1', [
        kind,
      ])
    ).rows[0].n,
  );

/** How many workers are in the middle of paying. */
const stuck = async () =>
  await count(`pg_stat_activity WHERE datname = current_database() AND application_name = 'parley-worker'
               AND query LIKE '%ledger_post%' AND wait_event_type = 'Lock'`);

endProcessesAfterAll();

describe('the end of a week', () => {
  it('pays every prize once, with a worker killed in the middle and fifty others who settle it at once', async () => {
    const week = 202341;
    await stake(week, await played(week));
    // 12 × 1000 of passes: a quarter is the house's.
    expect([await sum('pot'), await sum('fees')]).toEqual([9000, 3000]);
    await system.app.get(WeeksService).close(week);

    const release = await holding(system, "SELECT FROM ledger_accounts WHERE kind = 'pot' FOR UPDATE");
    try {
      const doomed = await startWorker();
      await eventually(async () => (await stuck()) > 0, 60_000);
      await doomed.kill('SIGKILL');
      expect([await count('prizes'), await count('prize_pots'), await sum('user_available')]).toEqual([
        0, 0, 0,
      ]);
    } finally {
      await release();
    }
    await expireJobLocks(system);

    await startWorker();
    const settlement = system.app.get(WeekSettlementService);
    const closings = await Promise.allSettled(
      Array.from({ length: CLOSINGS }, (_, n) =>
        n % 2 === 0 ? settlement.settleIfReady(week) : settlement.settleNow(week, admin.userId),
      ),
    );
    expect(closings.filter(({ status }) => status === 'rejected')).toEqual([]);
    await eventually(
      async () => (await count("weeks WHERE id = $1 AND status = 'settled'", week)) === 1,
      60_000,
    );
    await eventually(
      async () => (await count("outbox WHERE topic LIKE 'pools.%' OR topic LIKE 'settlement.%'")) === 0,
      60_000,
    );

    expect(await moneyProblems(system)).toEqual([]);
    // Of 2 × 500 to buy back a quarter is the house's too; what nobody of the first pool won goes on.
    expect([await sum('pot'), await sum('fees'), await sum('escrow'), await sum('promotions')]).toEqual([
      0, 3250, 0, 0,
    ]);
    expect((await sum('user_available')) + (await sum('carried_pot'))).toBe(9750);
    expect(await sum('carried_pot')).toBeGreaterThan(0);
    const { rows } = await system.db.query(
      `SELECT count(*)::int AS prizes, count(DISTINCT user_id)::int AS winners FROM prizes WHERE week_id = $1`,
      [week],
    );
    expect(rows).toEqual([{ prizes: 9, winners: 9 }]);
    expect(await count("ledger_transfers WHERE type = 'prize'")).toBe(9);
    expect(await count("ledger_transfers WHERE type = 'carry'")).toBe(1);
  }, 200_000);

  it('pays nothing when it is told again', async () => {
    const transfers = await count('ledger_transfers');
    const settlement = system.app.get(WeekSettlementService);
    await Promise.all(Array.from({ length: 10 }, () => settlement.settleIfReady(202341)));
    expect((await admin.post('admin/weeks/202341/settle')).status).toBe(200);
    expect(await count('ledger_transfers')).toBe(transfers);
  });

  it('gives what was carried over to the next, and no pot keeps anything', async () => {
    const week = 202343; // the one that can be joined once 41 is over
    const carried = await sum('carried_pot');
    const players = await played(week);
    await stake(week, players);
    await system.db.query(
      'UPDATE pool_members SET staked = greatest(staked, 100), paid_out = paid_out + greatest(100 - staked, 0) WHERE week_id = $1',
      [week],
    );
    await system.app.get(WeeksService).close(week);
    const before = await sum('user_available');
    expect((await admin.post(`admin/weeks/${week}/settle`)).data.status).toBe('settled');
    expect([await sum('pot'), await sum('carried_pot'), await sum('escrow')]).toEqual([0, 0, 0]);
    expect(await sum('user_available')).toBe(before + 9750 + carried);
    const winner = (
      await system.db.query(
        'SELECT user_id, amount::int FROM prizes WHERE week_id = $1 ORDER BY amount DESC',
        [week],
      )
    ).rows[0];
    const client = players.find(({ userId }) => userId === winner.user_id)!;
    expect((await client.get('wallet/transactions')).data).toMatchObject([{ type: 'prize' }]);
    expect((await client.get('wallet')).status).toBe(200);
  });
});
