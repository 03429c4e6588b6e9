import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import { WeekSettlementService } from '../../src/modules/settlement/week-settlement.service.js';
import { BoxOffice } from '../support/box-office.js';
import { Builders, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { PaymentsBench } from '../support/payments.js';
import { moneyProblems } from '../support/pool-money.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const START = '2023-10-03T12:00:00Z';
/** The end of Friday in New York. */
const FRIDAY_ENDS = '2023-10-07T04:00:00Z';

let office: BoxOffice;
let bench: PaymentsBench;
let system: System;
let make: Builders;
let players: Client[];

beforeAll(async () => {
  system = await startSystemWithRules({}, { worker: false, at: START });
  office = await BoxOffice.open(system);
  bench = office.bench;
  make = new Builders(system);
  await make.week(WEEK);
});
afterAll(async () => bench.close());
beforeEach(async () => {
  await system.moveTo(START);
  players = await make.members(3, WEEK);
  await lose(...players);
});
afterEach(async () => {
  await bench.deliver();
  expect(await bench.problems()).toEqual([]);
  expect(await moneyProblems(system)).toEqual([]);
});

async function lose(...losers: Client[]): Promise<void> {
  await system.db.query(
    'UPDATE pool_members SET staked = staked + balance, balance = 0 WHERE user_id = ANY ($1)',
    [losers.map(({ userId }) => userId)],
  );
}

const creditsOf = async (player: Client) => (await player.get('me')).data.pool.credits;
const fees = async () => await bench.balance('escrow', `entry_fees:${WEEK}`);

describe('buying back', () => {
  it('adds 1000 credits when the money has come, once a week', async () => {
    const [player] = players as [Client];
    const before = await fees();
    const id = await office.begin(player, 'buy_back');
    expect(await creditsOf(player)).toBe(0);
    await bench.tell(id, { status: 'succeeded' });
    expect([await creditsOf(player), await fees()]).toEqual([1000, before + 500]);
    await lose(player);
    expect(await office.refusal(player, 'buy_back')).toBe('BUY_BACK_ALREADY_USED');
  });

  it('credits once however often the payment is told, and gives a second payment back', async () => {
    const [player] = players as [Client];
    const before = await fees();
    const ids = [await office.begin(player, 'buy_back'), await office.begin(player, 'buy_back')] as const;
    const payments = ids.map((id) => bench.bank.decide(id, { status: 'succeeded' }));
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => bench.send(bench.bank.about(payments[n % 2] ?? payments[0]!))),
    );
    await Promise.all([bench.deliver(), bench.deliver(), bench.deliver()]);
    expect([await creditsOf(player), await fees()]).toEqual([1000, before + 500]);
    const statuses = await Promise.all(ids.map(async (id) => office.statusOf(player, id)));
    expect(statuses.toSorted()).toEqual(['refunded', 'succeeded']);
    const { rows } = await system.db.query('SELECT reference FROM credit_adjustments WHERE user_id = $1', [
      player.userId,
    ]);
    expect(rows).toEqual([{ reference: `payment:${ids[statuses.indexOf('succeeded')]}` }]);
  });

  it('is for members who have nothing left, on the table or off it, and may play', async () => {
    const [excluded, playing, betting] = players as [Client, Client, Client];
    const [stranger] = await make.players(1);
    await system.app.get(ComplianceService).exclude(excluded.userId, null);
    await system.db.query('UPDATE pool_members SET balance = 1, staked = staked - 1 WHERE user_id = $1', [
      playing.userId,
    ]);
    await system.db.query('UPDATE pool_members SET bets_open = 1, bets_placed = 1 WHERE user_id = $1', [
      betting.userId,
    ]);
    const codes = [];
    for (const player of [stranger!, excluded, playing, betting])
      codes.push(await office.refusal(player, 'buy_back'));
    expect(codes).toEqual([
      'NOT_A_MEMBER',
      'SELF_EXCLUDED',
      'BUY_BACK_BALANCE_NOT_ZERO',
      'BUY_BACK_BETS_OPEN',
    ]);
  });

  it('is asked for until Friday is over; confirmed later it still credits', async () => {
    const [intime, late] = players as [Client, Client];
    await system.moveTo(new Date(Date.parse(FRIDAY_ENDS) - 10_000));
    const id = await office.begin(intime, 'buy_back');
    await system.moveTo(FRIDAY_ENDS);
    expect(await office.refusal(late, 'buy_back')).toBe('BUY_BACK_CLOSED');
    await system.moveTo('2023-10-08T20:00:00Z');
    await bench.tell(id, { status: 'succeeded' });
    expect(await creditsOf(intime)).toBe(1000);
    const { rows } = await system.db.query(
      'SELECT balance - debt = starting + adjustments - staked + paid_out AS holds FROM pool_members',
    );
    expect(rows.every(({ holds }) => holds)).toBe(true);
  });

  it('goes back when its buyer was excluded meanwhile', async () => {
    const [player] = players as [Client];
    const before = await fees();
    const id = await office.begin(player, 'buy_back');
    await system.app.get(ComplianceService).timeOut(player.userId, 1);
    await bench.tell(id, { status: 'succeeded' });
    expect([await creditsOf(player), await office.statusOf(player, id), await fees()]).toEqual([
      0,
      'refunded',
      before,
    ]);
  });

  it('that is confirmed while the week closes is credited or goes back, and never both', async () => {
    const week = 202341;
    await system.moveTo('2023-10-10T12:00:00Z');
    await make.week(week);
    const many = await make.members(12, week);
    await lose(...many);
    const ids = await Promise.all(many.map(async (player) => office.begin(player, 'buy_back')));
    await system.moveTo('2023-10-16T04:00:01Z');
    for (const id of ids) await bench.send(bench.bank.about(bench.bank.decide(id, { status: 'succeeded' })));
    await Promise.all([bench.deliver(), system.app.get(WeeksService).close(week), bench.deliver()]);
    const late = await office.statusOf(many[0]!, ids[0]!);
    const { rows } = await system.db.query(
      `SELECT p.id, p.status, a.amount::int FROM payments p
       LEFT JOIN credit_adjustments a ON a.reference = 'payment:' || p.id WHERE p.id = ANY ($1)`,
      [ids],
    );
    expect(['succeeded', 'refunded']).toContain(late);
    for (const { status, amount } of rows)
      expect([status, amount]).toEqual(amount === null ? ['refunded', null] : ['succeeded', 1000]);
    const credited = rows.filter(({ amount }) => amount !== null).length;
    expect(await bench.balance('escrow', `entry_fees:${week}`)).toBe(500 * credited);
  });

  it('that is confirmed after the week has closed goes back', async () => {
    const week = 202342;
    await system.moveTo('2023-10-17T12:00:00Z');
    await make.week(week);
    const player = await make.member(week);
    await lose(player);
    const id = await office.begin(player, 'buy_back');
    await system.moveTo('2023-10-23T04:00:00Z');
    await system.app.get(WeeksService).close(week);
    await bench.tell(id, { status: 'succeeded' });
    expect(await office.statusOf(player, id)).toBe('refunded');
    expect(await bench.balance('escrow', `entry_fees:${week}`)).toBe(0);
    expect(await unbalanced(system)).not.toContainEqual(
      expect.objectContaining({ user_id: player.userId, adjustments: '1000' }),
    );
  });

  it("is the house's when the pots are fixed: the prizes are paid from its promotions", async () => {
    await office.buy(players[0] as Client, 'buy_back');
    await system.db.query('UPDATE pool_members SET bets_open = 0, bets_placed = 0');
    const paid = await fees();
    expect(paid).toBeGreaterThan(0);
    const house = await bench.balance('fees', 'house');
    await system.moveTo('2023-10-09T04:00:00Z');
    await system.app.get(WeeksService).close(WEEK);
    await system.app.get(WeekSettlementService).settleIfReady(WEEK);
    const { rows } = await system.db.query('SELECT sum(amount)::int AS won FROM prizes WHERE week_id = $1', [
      WEEK,
    ]);
    expect(rows).toEqual([{ won: 100_000 }]);
    expect([
      await fees(),
      await bench.balance('fees', 'house'),
      await bench.balance('promotions', 'house'),
    ]).toEqual([0, house + paid, -100_000]);
  });
});
