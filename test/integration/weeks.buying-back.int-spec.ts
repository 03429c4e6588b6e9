import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const OPENING = '2023-09-27T12:00:00Z';

let system: System;
let make: Builders;
let admin: Client;

beforeAll(async () => {
  system = await startSystemWithRules({ pools: { maxSize: 7 } }, { worker: false, at: OPENING });
  make = new Builders(system);
  admin = await make.admin();
});
afterAll(async () => system.stop());
afterEach(async () => expect(await unbalanced(system)).toEqual([]));

describe('buying back', () => {
  const week = 202343;
  let players: Client[];
  let game: TestGame;
  const grant = (client: Client, key: string = randomUUID()) =>
    admin.post(`admin/users/${client.userId}/pass`, { kind: 'buy_back' }, { key });
  const stakeAll = async (client: Client, on = game) =>
    await client.bet({
      marketId: on.moneyline.id,
      outcome: 'home',
      stake: 1000,
      oddsId: on.moneyline.odds['home'],
    });
  const lose = async (on: TestGame) => {
    await system.app.get(ResultsService).report(null, on.id, { status: 'final', homeScore: 0, awayScore: 3 });
    await new Deliveries(system).all();
  };
  const boughtBack = async (client: Client) =>
    (await system.db.query('SELECT amount::int FROM credit_adjustments WHERE user_id = $1', [client.userId]))
      .rows;

  beforeAll(async () => {
    await system.moveTo('2023-10-23T12:00:00Z');
    await make.week(week);
    players = await make.members(5, week);
    game = await make.game({ startsAt: '2023-10-24T17:00:00Z' });
  });

  it('is for members with nothing left, on the table or off it', async () => {
    const [stranger] = (await make.players(1)) as [Client];
    expect((await grant(stranger)).error.code).toBe('NOT_A_MEMBER');
    expect((await grant(players[0]!)).error.code).toBe('BUY_BACK_BALANCE_NOT_ZERO');
    for (const player of players) expect((await stakeAll(player)).status).toBe(201);
    expect((await grant(players[0]!)).error.code).toBe('BUY_BACK_BETS_OPEN');
    await system.moveTo('2023-10-24T20:30:00Z');
    await lose(game);
    const answer = await grant(players[0]!);
    expect([answer.status, answer.data]).toEqual([
      201,
      {
        kind: 'buy_back',
        userId: players[0]!.userId,
        week: '2023-W43',
        movedToNextWeek: false,
        credits: 1000,
      },
    ]);
  });

  it('happens once a week', async () => {
    const next = await make.game({ startsAt: '2023-10-25T17:00:00Z' });
    await stakeAll(players[0]!, next);
    await system.moveTo('2023-10-25T20:30:00Z');
    await lose(next);
    expect((await grant(players[0]!)).error.code).toBe('BUY_BACK_ALREADY_USED');
  });

  it('happens once when it is asked for 50 times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => grant(players[1]!)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(new Set(refused.map(({ error }) => error.code))).toEqual(new Set(['BUY_BACK_ALREADY_USED']));
    expect(await boughtBack(players[1]!)).toEqual([{ amount: 1000 }]);
  });

  it('answers a key that comes again with the first answer', async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 10 }, () => grant(players[2]!, key)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await boughtBack(players[2]!)).toEqual([{ amount: 1000 }]);
  });

  it('is refused to whom something bars from playing, also while the bar is being put up', async () => {
    const [timedOut, banned] = (await make.members(2, week)) as [Client, Client];
    await system.db.query(
      'UPDATE pool_members SET staked = 1000, paid_out = 0, balance = 0 WHERE user_id = ANY ($1)',
      [[timedOut.userId, banned.userId]],
    );
    try {
      await system.db.query("UPDATE users SET status = 'banned' WHERE id = $1", [banned.userId]);
      expect((await grant(banned)).error.code).toBe('ACCOUNT_BANNED');
      const barring = await system.db.connect();
      try {
        await barring.query('BEGIN');
        await barring.query('SELECT parley_gate_shut($1)', [timedOut.userId]);
        const waiting = grant(timedOut);
        await new Promise((resolve) => setTimeout(resolve, 150));
        await barring.query(
          `INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at)
           VALUES (gen_random_uuid(), $1, 'time_out', $2::timestamptz, $2::timestamptz + interval '1 day')`,
          [timedOut.userId, system.now()],
        );
        await barring.query('COMMIT');
        const answer = await waiting;
        expect([answer.status, answer.error.code]).toEqual([403, 'TIMED_OUT']);
      } finally {
        barring.release();
      }
      expect(await boughtBack(timedOut)).toEqual([]);
    } finally {
      // They had staked nothing: put back in balance.
      await system.db.query('UPDATE pool_members SET staked = 0, balance = 1000 WHERE user_id = ANY ($1)', [
        [timedOut.userId, banned.userId],
      ]);
    }
  });

  it('is for a week that is being played', async () => {
    await system.db.query("UPDATE weeks SET status = 'closed' WHERE id = $1", [week]);
    const answer = await grant(players[4]!);
    await system.db.query("UPDATE weeks SET status = 'grouped' WHERE id = $1", [week]);
    expect([answer.error.code, answer.error.details]).toEqual(['WEEK_STATE_CONFLICT', { status: 'closed' }]);
  });

  it('is held to once a week by the database too', async () => {
    const again = system.db.query(
      `INSERT INTO credit_adjustments (id, pool_id, user_id, week_id, kind, amount, reference, created_at)
       SELECT gen_random_uuid(), pool_id, user_id, week_id, kind, amount, 'another', created_at
       FROM credit_adjustments WHERE user_id = $1 LIMIT 1`,
      [players[1]!.userId],
    );
    await expect(again).rejects.toMatchObject({
      code: '23505',
      constraint: 'ux_credit_adjustments_buy_back',
    });
  });

  it('ends on Friday at 23:59:59 New York', async () => {
    await system.moveTo('2023-10-28T03:59:57Z');
    expect((await grant(players[3]!)).status).toBe(201);
    await system.moveTo('2023-10-28T04:00:00Z');
    expect((await grant(players[4]!)).error.code).toBe('BUY_BACK_CLOSED');
  });
});
