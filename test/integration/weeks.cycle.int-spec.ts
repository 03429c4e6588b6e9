import type { INestApplicationContext } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createWorker } from '../../src/bootstrap.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { bothGradings } from '../support/fresh-grades.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { eventually, type System } from '../support/system.js';

const KICK_OFF = '2023-10-08T17:00:00Z';

/** Nobody calls anything here but clients and an admin with results: the rest is the clock's doing. */
describe('the cycle of the weeks, with two workers', () => {
  let system: System;
  let secondWorker: INestApplicationContext;
  let make: Builders;
  let admin: Client;
  let players: Client[];
  let game: TestGame;
  let last: TestGame;

  beforeAll(async () => {
    system = await startSystemWithRules(
      { pools: { maxSize: 5, fill: 'full' } },
      { at: '2023-09-26T12:00:00Z' },
    );
    secondWorker = await createWorker(system.config);
    await secondWorker.init();
    make = new Builders(system);
    admin = await make.admin();
  });
  afterAll(async () => {
    await secondWorker.close();
    await system.stop();
  });

  const statusOf = async (week: string) =>
    (await admin.get(`weeks/${week}`)).data?.status as string | undefined;
  const reaches = async (week: string, status: string) =>
    await eventually(async () => (await statusOf(week)) === status, 20_000);
  const deadlinesOf = async (one: TestGame) => {
    const { rows } = await system.db.query(
      'SELECT kind, due_at FROM deadlines WHERE subject = $1 AND fired_at IS NULL ORDER BY kind',
      [one.id],
    );
    return rows;
  };

  it('opens the week that is and the one after it', async () => {
    await reaches('2023-W39', 'grouped');
    expect(await reaches('2023-W40', 'open')).toBe(true);
    players = await make.players(12, { pass: 202340 });
  });

  it('draws on Monday 00:00 New York, in full pools where the rules say so, and opens the next week', async () => {
    await system.moveTo('2023-10-02T03:59:58Z');
    expect(await statusOf('2023-W40')).toBe('open');
    await system.moveTo('2023-10-02T04:00:00Z');
    await reaches('2023-W40', 'grouped');
    await reaches('2023-W41', 'open');
    const pools = await admin.get('weeks/2023-W40/pools');
    expect(pools.data.map((pool: { size: number }) => pool.size)).toEqual([5, 5, 2]);
    const { rows } = await system.db.query(
      'SELECT count(*)::int AS n, count(DISTINCT user_id)::int AS users FROM pool_members',
    );
    expect(rows).toEqual([{ n: 12, users: 12 }]);
    expect(await statusOf('2023-W39')).not.toBe('grouped');
  });

  it('closes betting at the start of a game', async () => {
    [game, last] = [
      await make.game({ startsAt: KICK_OFF }),
      await make.game({ startsAt: '2023-10-09T03:00:00Z' }),
    ];
    for (const one of [game, last])
      await system.db.query(
        `INSERT INTO deadlines (kind, subject, due_at) SELECT k, $1, $2::timestamptz + h * interval '1 hour'
         FROM (VALUES ('game-lock', 0), ('game-overdue', 30)) AS d (k, h)`,
        [one.id, one === game ? KICK_OFF : '2023-10-09T03:00:00Z'],
      );
    for (const [index, player] of players.entries()) {
      const outcome = index % 2 === 0 ? 'over' : 'under';
      for (const on of [game, last]) {
        const body = { marketId: on.total.id, outcome, stake: 300, oddsId: on.total.odds[outcome] };
        expect((await player.bet(body)).status).toBe(201);
      }
    }
    await system.moveTo(KICK_OFF);
    await eventually(async () => (await admin.get(`games/${game.id}`)).data.status === 'in_progress');
    const { rows } = await system.db.query('SELECT DISTINCT status FROM markets WHERE game_id = $1', [
      game.id,
    ]);
    expect(rows).toEqual([{ status: 'closed' }]);
    expect(await deadlinesOf(game)).toMatchObject([{ kind: 'game-overdue' }]);
  });

  it('grades at the result', async () => {
    await system.moveTo('2023-10-08T20:30:00Z');
    const body = { status: 'final', homeScore: 30, awayScore: 20 };
    expect((await admin.post(`admin/games/${game.id}/result`, body)).status).toBe(200);
    await eventually(async () => {
      const { rows } = await system.db.query(
        "SELECT count(*)::int AS n FROM bets WHERE status IN ('won', 'lost')",
      );
      return rows[0].n === 12;
    });
    expect(await unbalanced(system)).toEqual([]);
  });

  it('closes on the next Monday and settles when the last game is over, be it for want of a result', async () => {
    await system.moveTo('2023-10-09T04:00:00Z');
    await reaches('2023-W40', 'closed');
    await reaches('2023-W41', 'grouped');
    await reaches('2023-W42', 'open');
    const body = { marketId: last.total.id, outcome: 'over', stake: 10, oddsId: last.total.odds['over'] };
    expect((await players[0]!.bet(body)).error.code).toBe('NOT_IN_POOL');
    // The game of Sunday night has no result; thirty hours after its start it is given up.
    await system.moveTo('2023-10-10T09:00:00Z');
    await reaches('2023-W40', 'settled');
    const { stored, fresh } = await bothGradings(
      system,
      players.map(({ userId }) => userId),
    );
    expect(stored).toEqual(fresh);
    expect(new Set(stored.map(({ status }) => status))).toEqual(new Set(['won', 'lost', 'void']));
    expect(await unbalanced(system)).toEqual([]);
    const { rows } = await system.db.query(
      `SELECT t.amount - t.carried_out - coalesce(sum(z.amount), 0) AS missing, count(z.*)::int AS prizes
       FROM prize_pots t LEFT JOIN prizes z USING (pool_id) GROUP BY t.pool_id ORDER BY prizes`,
    );
    expect(rows.map((row) => row.missing)).toEqual(['0', '0', '0']);
  });

  it('catches up with every week when the clock jumps over several', async () => {
    const late = await make.players(3, { pass: 202342 });
    await system.moveTo('2023-11-22T12:00:00Z');
    await reaches('2023-W48', 'open');
    await reaches('2023-W47', 'grouped');
    for (const week of ['2023-W41', '2023-W42', '2023-W43', '2023-W44', '2023-W45', '2023-W46'])
      await reaches(week, 'settled');
    // Nobody is drawn into a week that is over: its passes are for the next that can be joined.
    const { rows } = await system.db.query(
      `SELECT (SELECT count(*)::int FROM pool_members WHERE user_id = ANY ($1)) AS drawn,
              (SELECT array_agg(week_id) FROM week_passes WHERE user_id = ANY ($1)) AS passes`,
      [late.map(({ userId }) => userId)],
    );
    expect(rows).toEqual([{ drawn: 0, passes: [202348, 202348, 202348] }]);
    const { rows: twice } = await system.db.query(
      `SELECT subject_id, action FROM audit_log WHERE action IN ('week.group', 'week.settle', 'week.resettle')
       GROUP BY 1, 2 HAVING count(*) > 1 OR action = 'week.resettle'`,
    );
    expect(twice).toEqual([]);
    await eventually(async () => {
      const { rows: waiting } = await system.db.query('SELECT count(*)::int AS n FROM outbox');
      return waiting[0].n === 0;
    });
  });
});
