import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { GroupingService } from '../../src/modules/pools/grouping.service.js';
import { WeeksService } from '../../src/modules/pools/weeks.service.js';
import type { DomainError } from '../../src/platform/http/domain-error.js';
import { BoxOffice } from '../support/box-office.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { PaymentsBench } from '../support/payments.js';
import { moneyProblems } from '../support/pool-money.js';
import { proveAgain } from '../support/proofs.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

/** Tuesday of week 40; the draw of week 41 is on the 9th at 04:00 UTC. */
const START = '2023-10-03T12:00:00Z';
const DRAW = '2023-10-09T04:00:00Z';
const WEEK = 202341;

let office: BoxOffice;
let bench: PaymentsBench;
let system: System;
let make: Builders;
let admin: Client;
let players: Client[];

beforeAll(open);
afterAll(async () => bench.close());
beforeEach(async () => {
  players = await make.players(4);
});
afterEach(async () => {
  await bench.deliver();
  expect(await bench.problems()).toEqual([]);
  expect(await moneyProblems(system)).toEqual([]);
});

async function open(): Promise<void> {
  system = await startSystemWithRules(
    { prizes: { source: 'entryFees', share: 80 }, pools: { maxSize: 3 } },
    { worker: false, at: START },
  );
  office = await BoxOffice.open(system);
  bench = office.bench;
  make = new Builders(system);
  admin = await make.admin();
  for (const week of [202340, WEEK]) await make.week(week, { group: false });
}

/** A system of its own: what this draws, no other test can join. */
async function anew(): Promise<void> {
  await bench.close();
  await open();
  players = await make.players(4);
}

const passesOf = async ({ userId }: Client) =>
  (
    await system.db.query('SELECT week_id, source FROM week_passes WHERE user_id = $1 ORDER BY week_id', [
      userId,
    ])
  ).rows;
const isRegistered = async (player: Client) => (await player.get('me')).data.nextWeek.registered;
const escrow = async (owner: string | number, currency = 'USD') =>
  await bench.balance('escrow', `entry_fees:${owner}`, currency);
const refund = async (id: string) => {
  await proveAgain(system, admin);
  return await admin.post(`admin/payments/${id}/refund`, { reason: 'Asked' }, { key: id });
};
const audited = async (id: string) =>
  (await system.db.query('SELECT action FROM audit_log WHERE subject_id = $1 ORDER BY id', [id])).rows.map(
    ({ action }) => action,
  );

async function draw(week: number, at: string): Promise<void> {
  await system.moveTo(at);
  await make.week(week);
  await system.app.get(WeeksService).openNext();
}

async function poolsOf(week: number): Promise<{ size: number; fees: number; pot: number }[]> {
  const { rows } = await system.db.query(
    `SELECT p.size, p.entry_fees::int AS fees, coalesce(a.balance, 0)::int AS pot FROM pools p
     LEFT JOIN ledger_accounts a ON a.kind = 'pot' AND a.owner = p.id::text AND a.currency = 'USD'
     WHERE p.week_id = $1 ORDER BY p.number`,
    [week],
  );
  return rows;
}

describe('a week pass that is bought', () => {
  it('counts for the next week, and is bought once', async () => {
    const [player] = players as [Client];
    const before = await escrow(WEEK);
    expect(await isRegistered(player)).toBe(false);
    const id = await office.buy(player, 'week_pass');
    expect(await passesOf(player)).toEqual([{ week_id: WEEK, source: 'payment' }]);
    expect([await isRegistered(player), await escrow(WEEK)]).toEqual([true, before + 1000]);
    expect(await office.statusOf(player, id)).toBe('succeeded');
    expect(await office.refusal(player, 'week_pass')).toBe('PASS_ALREADY_HELD');
  });

  it('is refused to who has not accepted the terms, is excluded or has been given one', async () => {
    const [old, excluded, given] = players as [Client, Client, Client];
    await system.db.query("UPDATE users SET terms_version = 'old' WHERE id = $1", [old.userId]);
    await system.app.get(ComplianceService).exclude(excluded.userId, null);
    await admin.post(`admin/users/${given.userId}/pass`, { kind: 'week_pass' }, { key: given.userId });
    for (const purpose of ['week_pass', 'subscription'] as const) {
      expect(await office.refusal(old, purpose)).toBe('TERMS_NOT_ACCEPTED');
      expect(await office.refusal(excluded, purpose)).toBe('SELF_EXCLUDED');
    }
    expect(await office.refusal(given, 'week_pass')).toBe('PASS_ALREADY_HELD');
  });

  it('counts once however often and by however many it is told', async () => {
    const [player] = players as [Client];
    const before = await escrow(WEEK);
    const id = await office.begin(player, 'week_pass');
    const payment = bench.bank.decide(id, { status: 'succeeded' });
    await Promise.all(Array.from({ length: 50 }, () => bench.send(bench.bank.about(payment))));
    await Promise.all(Array.from({ length: 3 }, () => bench.deliver()));
    expect(await passesOf(player)).toHaveLength(1);
    expect(await escrow(WEEK)).toBe(before + 1000);
  });

  it('goes back when it was begun twice, or its buyer has been excluded since', async () => {
    const [twice, excluded] = players as [Client, Client];
    const before = await escrow(WEEK);
    const ids = [await office.begin(twice, 'week_pass'), await office.begin(twice, 'week_pass')] as const;
    const barred = await office.begin(excluded, 'week_pass');
    await system.app.get(ComplianceService).exclude(excluded.userId, null);
    for (const id of [...ids, barred]) await bench.tell(id, { status: 'succeeded' });
    expect(await Promise.all(ids.map(async (id) => office.statusOf(twice, id)))).toEqual([
      'succeeded',
      'refunded',
    ]);
    expect(await office.statusOf(excluded, barred)).toBe('refunded');
    expect([await passesOf(twice), await passesOf(excluded)].map((passes) => passes.length)).toEqual([1, 0]);
    expect(await escrow(WEEK)).toBe(before + 1000);
    await bench.tell(ids[1], { status: 'succeeded' }, { id: 'again' });
    expect(await escrow(WEEK)).toBe(before + 1000);
  });

  it('is taken back with its money before the draw', async () => {
    const [player] = players as [Client];
    const before = await escrow(WEEK);
    const id = await office.buy(player, 'week_pass');
    expect((await refund(id)).status).toBe(202);
    await bench.deliver();
    expect([await office.statusOf(player, id), await passesOf(player), await escrow(WEEK)]).toEqual([
      'refunded',
      [],
      before,
    ]);
    expect(await audited(id)).toContain('purchase.taken_back');
    expect(await office.refusal(player, 'week_pass')).toBe('begun');
  });
});

describe('the draw', () => {
  it('shares the entry fees into the pots by their members, once; what was given puts in nothing', async () => {
    await anew();
    const payers = await make.players(5);
    for (const player of payers) await office.buy(player, 'week_pass');
    const [euros] = players as [Client];
    await office.buy(euros, 'week_pass', { currency: 'EUR' });
    await make.players(1, { pass: WEEK });
    const late = await office.begin(players[1]!, 'week_pass');
    const [barred] = await make.players(1);
    const kept = await office.buy(barred!, 'week_pass');
    await system.app.get(ComplianceService).exclude(barred!.userId, null);
    await system.moveTo(DRAW);
    const grouping = system.app.get(GroupingService);
    await Promise.all(Array.from({ length: 10 }, () => grouping.group(WEEK, null)));
    // 80 % of 5 × 1000 over 4 + 3 members, or 3 + 2 + 2: seven are in.
    expect(await poolsOf(WEEK)).toEqual([
      { size: 3, fees: 1714, pot: 1714 },
      { size: 2, fees: 1143, pot: 1143 },
      { size: 2, fees: 1143, pot: 1143 },
    ]);
    expect([await bench.balance('fees', 'house'), await bench.balance('fees', 'house', 'EUR')]).toEqual([
      1000, 1000,
    ]);
    expect([await escrow(WEEK), await escrow(WEEK, 'EUR')]).toEqual([1000, 0]);

    await system.app.get(WeeksService).openNext();
    await bench.tell(late, { status: 'succeeded' });
    expect(await passesOf(players[1]!)).toEqual([{ week_id: 202342, source: 'payment' }]);
    expect(await escrow(202342)).toBe(1000);
    expect((await refund(kept)).status).toBe(202);
    await bench.deliver();
    expect([await office.statusOf(barred!, kept), await escrow(WEEK)]).toEqual(['refunded', 0]);
    const used = await office.buy(payers[0]!, 'week_pass');
    expect((await refund(used)).status).toBe(202);
  });

  it('has each pass that is paid while it is made in its list, or leaves it and its money to the week after', async () => {
    await anew();
    const many = await make.players(24);
    const ids = await Promise.all(many.map(async (player) => office.begin(player, 'week_pass')));
    for (const id of ids) await bench.send(bench.bank.about(bench.bank.decide(id, { status: 'succeeded' })));
    await system.app.get(WeeksService).open(202342);
    await system.moveTo(new Date(Date.parse(DRAW) - 150));
    const grouping = system.app.get(GroupingService);
    const drawn = (async () => {
      for (;;) {
        try {
          return await grouping.group(WEEK, null);
        } catch (error) {
          if ((error as DomainError).code !== 'WEEK_STATE_CONFLICT') throw error;
        }
      }
    })();
    await Promise.all([drawn, bench.deliver(), bench.deliver(), bench.deliver()]);
    const { rows } = await system.db.query(
      `SELECT p.week_id, count(*)::int AS passes, count(e.user_id)::int AS drawn FROM week_passes p
       LEFT JOIN week_entries e ON e.week_id = p.week_id AND e.user_id = p.user_id GROUP BY 1`,
    );
    const of = (week: number): { passes: number; drawn: number } =>
      rows.find((row) => row.week_id === week) ?? { passes: 0, drawn: 0 };
    expect(of(WEEK).passes + of(202342).passes).toBe(24);
    expect([of(WEEK).drawn, of(202342).drawn]).toEqual([of(WEEK).passes, 0]);
    expect([await escrow(WEEK), await escrow(202342)]).toEqual([0, 1000 * of(202342).passes]);
    const shared = (await poolsOf(WEEK)).reduce((sum, { pot }) => sum + pot, 0);
    expect(shared + (await bench.balance('fees', 'house'))).toBe(1000 * of(WEEK).passes);
  });

  it('has used the passes: their money is not there to be refunded, and who takes it back by their bank is reported', async () => {
    await anew();
    const [one, other] = players as [Client, Client];
    const ids = [await office.buy(one, 'week_pass'), await office.buy(other, 'week_pass')] as const;
    await draw(WEEK, DRAW);
    expect((await refund(ids[0])).error.code).toBe('REFUND_NOT_COVERED');
    await office.lose(ids[1], 1000);
    expect(await office.statusOf(other, ids[1])).toBe('charged_back');
    expect(await audited(ids[1])).toContain('purchase.refunded_after_use');
    expect(await passesOf(other)).toHaveLength(1);
  });

  it('of a week that nobody could play takes its fees over to the next', async () => {
    await anew();
    const [one, two] = players as [Client, Client];
    const paid = await office.buy(one, 'week_pass');
    await office.buy(two, 'week_pass');
    await system.moveTo('2023-10-17T12:00:00Z');
    await make.week(WEEK);
    expect(await passesOf(one)).toEqual([{ week_id: 202343, source: 'payment' }]);
    expect((await refund(paid)).status).toBe(202);
    await bench.deliver();
    expect(await passesOf(one)).toEqual([]);
    await draw(202343, '2023-10-23T04:00:00Z');
    expect(await poolsOf(202343)).toEqual([{ size: 1, fees: 800, pot: 800 }]);
    expect(await escrow(WEEK)).toBe(0);
  });
});

describe('a subscription', () => {
  const MONTH = '2023-11-03T12:00:00Z';
  const DRAWS = [
    [202341, '2023-10-09T04:00:00Z'],
    [202342, '2023-10-16T04:00:00Z'],
    [202343, '2023-10-23T04:00:00Z'],
    [202344, '2023-10-30T04:00:00Z'],
    [202345, '2023-11-06T05:00:00Z'],
  ] as const;

  it('is in the draw of each week that begins before its period ends, with a part of its price', async () => {
    await anew();
    const [player] = players as [Client];
    await office.subscribe(player, MONTH);
    expect([await isRegistered(player), await escrow('202341-202344')]).toEqual([true, 3500]);
    expect(await office.refusal(player, 'week_pass')).toBe('PASS_ALREADY_HELD');
    const seen = [];
    for (const [week, at] of DRAWS) {
      await draw(week, at);
      seen.push([(await poolsOf(week)).map(({ size, pot }) => [size, pot]), await escrow('202341-202344')]);
    }
    expect(seen).toEqual([
      [[[1, 700]], 2625],
      [[[1, 700]], 1750],
      [[[1, 700]], 875],
      [[[1, 700]], 0],
      [[], 0],
    ]);
  });

  it('goes on with its renewal, early or late, and leaves out a week that was bought already', async () => {
    await anew();
    const [early, late, both] = players as [Client, Client, Client];
    const ids = [await office.subscribe(early, MONTH), await office.subscribe(late, MONTH)] as const;
    await office.buy(both, 'week_pass');
    await office.subscribe(both, MONTH);
    expect([await escrow('202342-202344'), await escrow(WEEK)]).toEqual([3500, 1000]);
    for (const [week, at] of DRAWS.slice(0, 4)) await draw(week, at);
    await office.renew(ids[0], '2023-12-03T12:00:00Z');
    await draw(...(DRAWS[4] as [number, string]));
    await office.renew(ids[1], '2023-12-03T12:00:00Z');
    expect([await escrow('202345-202348'), await escrow('202346-202348')]).toEqual([2625, 3500]);
    expect((await passesOf(early)).map((row) => row.week_id)).toEqual(DRAWS.map(([week]) => week));
    expect((await passesOf(late)).map((row) => row.week_id)).toEqual(DRAWS.slice(0, 4).map(([week]) => week));
    expect(await isRegistered(late)).toBe(true);
  });

  it('whose later period is told first has the weeks of both', async () => {
    await anew();
    const [player] = players as [Client];
    const id = await office.subscribe(player, '2023-10-20T12:00:00Z');
    await office.renew(id, '2023-12-20T12:00:00Z', '2023-11-20T12:00:00Z');
    await office.renew(id, '2023-11-20T12:00:00Z', '2023-10-20T12:00:00Z');
    const { rows } = await system.db.query(
      'SELECT week_id, last_week_id, refused FROM week_purchases WHERE user_id = $1 ORDER BY week_id',
      [player.userId],
    );
    expect(rows).toEqual([
      { week_id: 202341, last_week_id: 202342, refused: null },
      { week_id: 202343, last_week_id: 202347, refused: null },
      { week_id: 202348, last_week_id: 202351, refused: null },
    ]);
    expect([
      await escrow('202341-202342'),
      await escrow('202343-202347'),
      await escrow('202348-202351'),
    ]).toEqual([3500, 3500, 3500]);
  });

  it('ends with the period when it was cancelled', async () => {
    await anew();
    const [player] = players as [Client];
    await office.subscribe(player, '2023-10-20T12:00:00Z');
    expect((await player.call('DELETE', 'payments/subscription')).data.cancelAtPeriodEnd).toBe(true);
    for (const [week, at] of DRAWS.slice(0, 3)) await draw(week, at);
    expect((await passesOf(player)).map((row) => row.week_id)).toEqual([202341, 202342]);
  });

  it('that is refunded ends; the house bears the weeks that were played', async () => {
    await anew();
    const [one, other] = players as [Client, Client];
    const id = await office.subscribe(one, MONTH);
    await office.subscribe(other, MONTH);
    await draw(...(DRAWS[0] as [number, string]));
    const house = await bench.balance('fees', 'house');
    expect((await refund(id)).status).toBe(202);
    await bench.deliver();
    expect(await office.statusOf(one, id)).toBe('refunded');
    // The other's three weeks are whole: 7000 - 2 × 875 for the first week, - 3500 + 875.
    expect([await escrow('202341-202344'), await bench.balance('fees', 'house')]).toEqual([
      2625,
      house - 875,
    ]);
    await draw(...(DRAWS[1] as [number, string]));
    expect((await poolsOf(202342)).map(({ size, pot }) => [size, pot])).toEqual([[1, 700]]);
  });
});
