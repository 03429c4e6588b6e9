import { describe, expect, it } from '@jest/globals';
import type { ResultsService } from '../../src/modules/sports/results.service.js';
import type { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { Deliveries } from '../support/deliveries.js';
import { bothGradings } from '../support/fresh-grades.js';
import { joinPool } from '../support/members.js';
import { AFTER, final, playsWeek, START, WEEK } from '../support/played-week.js';
import { settledGames } from '../support/settled-games.js';
import type { System } from '../support/system.js';

let system: System;
let make: Builders;
let deliveries: Deliveries;
let results: ResultsService;
let admin: Client;
let player: Client;

playsWeek({ settlement: { chunkBets: 2 } }, (week) => {
  ({ system, make, deliveries, results, admin, player } = week);
});

const { betsOn, marketStates, member, report, settlementsOf, stakeOn, stakeOnAll, statuses } = settledGames(
  () => ({ system, deliveries, results, player }),
);

describe('a final result', () => {
  const CASES = [
    { home: 24, away: 17, spread: '-3.00', total: '45.00', graded: 'won lost won lost lost won' },
    { home: 24, away: 21, spread: '-3.00', total: '45.00', graded: 'won lost push push push push' },
    { home: 22, away: 21, spread: '-3.00', total: '42.50', graded: 'won lost lost won won lost' },
    { home: 20, away: 20, spread: '-3.00', total: '40.50', graded: 'push push lost won lost won' },
    { home: 24, away: 21, spread: '-3.50', total: '44.50', graded: 'won lost lost won won lost' },
    {
      home: 24,
      away: 21,
      spread: '-3.25',
      total: '45.25',
      graded: 'won lost half_lost half_won half_lost half_won',
    },
    {
      home: 24,
      away: 21,
      spread: '-2.75',
      total: '44.75',
      graded: 'won lost half_won half_lost half_won half_lost',
    },
    {
      home: 10,
      away: 13,
      spread: '2.75',
      total: '23.25',
      graded: 'lost won half_lost half_won half_lost half_won',
    },
    {
      home: 10,
      away: 13,
      spread: '3.25',
      total: '22.75',
      graded: 'lost won half_won half_lost half_won half_lost',
    },
    { home: 0, away: 0, spread: '0.00', total: '0.50', graded: 'push push push push lost won' },
    { home: 3, away: 0, spread: '-2.25', total: '3.75', graded: 'won lost won lost lost won' },
  ];
  // A hundred at -110: ten elevenths on top, floored once.
  const PAID: Record<string, number> = { won: 190, lost: 0, push: 100, half_won: 145, half_lost: 50 };

  it.each(CASES)('$home:$away on spread $spread and total $total: $graded', async (row) => {
    const game = await make.game({ startsAt: START, spread: row.spread, total: row.total });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, final(row.home, row.away));
    const expected = row.graded.split(' ').map((status) => ({ status, payout: PAID[status], reason: null }));
    expect(await betsOn(game)).toEqual(expected);
    const paid = expected.reduce((sum, bet) => sum + (bet.payout ?? 0), 0);
    expect(await member()).toEqual({ balance: 400 + paid, debt: 0, bets_open: 0 });
    expect(await marketStates(game)).toEqual(['settled', 'settled', 'settled']);
  });

  it('is refused before the official start, without its scores, and from those who are no admin', async () => {
    const game = await make.game({ startsAt: START });
    const path = `admin/games/${game.id}/result`;
    expect((await admin.post(path, { status: 'final', homeScore: 1, awayScore: 0 })).error.code).toBe(
      'GAME_NOT_STARTED',
    );
    await system.moveTo(START);
    expect((await admin.post(path, { status: 'final', homeScore: 1 })).error.code).toBe('RESULT_INCOMPLETE');
    expect((await player.post(path, { status: 'final', homeScore: 1, awayScore: 0 })).error.code).toBe(
      'FORBIDDEN',
    );
    expect((await admin.post(path, { status: 'final', homeScore: 1, awayScore: 0 })).data.status).toBe(
      'final',
    );
  });

  it('is settled in chunks that leave no trace of their number', async () => {
    const others = await make.players(6);
    for (const [index, other] of others.entries()) await joinPool(system, WEEK, [other], 10 + index);
    const game = await make.game({ startsAt: START });
    for (const other of others) {
      await stakeOn(game, 'total', 'over', 30, other);
      await stakeOn(game, 'spread', 'away', 30, other);
    }
    await system.moveTo(AFTER);
    await report(game, final(24, 20));
    expect(await settlementsOf(game)).toEqual([
      { result_version: 1, week_id: WEEK, status: 'done', completed: true, chunks_total: 6, chunks_done: 6 },
    ]);
    const { rows } = await system.db.query('SELECT id FROM settlements WHERE game_id = $1', [game.id]);
    const told = await admin.get(`admin/settlements/${rows[0].id}`);
    expect(told.data).toMatchObject({
      status: 'done',
      chunksDone: 6,
      chunksTotal: 6,
      betsDone: 12,
      betsTotal: 12,
    });
    const { stored, fresh } = await bothGradings(
      system,
      others.map(({ userId }) => userId),
    );
    expect(stored).toEqual(fresh);
  });

  it('settles a game that nobody has bet on', async () => {
    const game = await make.game({ startsAt: START });
    await system.moveTo(AFTER);
    await report(game, final(24, 20));
    expect(await settlementsOf(game)).toMatchObject([{ status: 'done', chunks_total: 0, week_id: WEEK }]);
  });
});

describe('a market that an operator voids', () => {
  const voidMarket = async (id: string) => {
    const answer = await admin.post(`admin/markets/${id}/void`, { reason: 'the price was wrong' });
    await deliveries.all();
    return answer;
  };

  it('gives the stakes back at once before the start; the others are graded later', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOnAll(game);
    expect((await voidMarket(game.spread.id)).status).toBe(200);
    expect(await statuses(game)).toEqual(['placed', 'placed', 'void', 'void', 'placed', 'placed']);
    expect((await betsOn(game))[2]?.reason).toBe('MARKET_VOIDED');
    expect(await marketStates(game)).toEqual(['open', 'voided', 'open']);
    await system.moveTo(AFTER);
    await report(game, final(24, 17));
    expect(await statuses(game)).toEqual(['won', 'lost', 'void', 'void', 'lost', 'won']);
    expect(await marketStates(game)).toEqual(['settled', 'voided', 'settled']);
  });

  it('does not settle the markets of a game that is still played', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOnAll(game);
    await system.moveTo(START);
    await results.lockAtStart(game.id);
    await voidMarket(game.spread.id);
    expect(await marketStates(game)).toEqual(['closed', 'voided', 'closed']);
    expect(await statuses(game)).toEqual(['placed', 'placed', 'void', 'void', 'placed', 'placed']);
  });

  it('takes back what was paid after the grading', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, final(24, 17));
    await voidMarket(game.total.id);
    expect(await statuses(game)).toEqual(['won', 'lost', 'won', 'lost', 'void', 'void']);
    expect(await member()).toEqual({ balance: 400 + 190 + 190 + 200, debt: 0, bets_open: 0 });
    const again = await voidMarket(game.total.id);
    expect([again.status, again.error.code]).toEqual([409, 'MARKET_STATE_CONFLICT']);
  });

  it('does not open again once its game has begun', async () => {
    const game = await make.game({ startsAt: START });
    const path = `admin/markets/${game.total.id}`;
    expect((await admin.post(`${path}/suspend`, { reason: 'a look' })).status).toBe(200);
    expect((await admin.post(`${path}/resume`, { reason: 'fine' })).status).toBe(200);
    expect((await admin.post(`${path}/suspend`, { reason: 'a look' })).status).toBe(200);
    await system.moveTo(START);
    await results.lockAtStart(game.id);
    const answer = await admin.post(`${path}/resume`, { reason: 'fine' });
    expect([answer.status, answer.error.code]).toEqual([409, 'MARKET_STATE_CONFLICT']);
  });
});

describe('a result that is said again', () => {
  it('changes nothing when it is the same', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, final(24, 17));
    const before = await betsOn(game);
    await report(game, final(24, 17));
    await report(game, final(24, 17, 'to be sure'));
    expect(await betsOn(game)).toEqual(before);
    expect(await settlementsOf(game)).toHaveLength(1);
  });

  it('needs a reason when it is another', async () => {
    const game = await make.game({ startsAt: START });
    await system.moveTo(AFTER);
    await report(game, final(24, 17));
    const path = `admin/games/${game.id}/result`;
    const refused = await admin.post(path, { status: 'final', homeScore: 24, awayScore: 20 });
    expect([refused.status, refused.error.code]).toEqual([422, 'CORRECTION_NEEDS_REASON']);
    const body = { status: 'final', homeScore: 24, awayScore: 20, reason: 'the league corrected it' };
    expect((await admin.post(path, body)).status).toBe(200);
    const { rows } = await system.db.query(
      "SELECT actor_id, details FROM audit_log WHERE subject_id = $1 AND action = 'game.result' ORDER BY id",
      [game.id],
    );
    expect(rows.at(-1)).toMatchObject({
      actor_id: admin.userId,
      details: { from: { awayScore: 17 }, to: body },
    });
  });

  it('reverses and pays anew: what is spent becomes a debt that the next payouts repay first', async () => {
    const [first, second, third] = [
      await make.game({ startsAt: START }),
      await make.game({ startsAt: '2023-10-05T17:00:00Z' }),
      await make.game({ startsAt: '2023-10-05T17:00:00Z' }),
    ];
    await stakeOn(first, 'moneyline', 'home', 800);
    await system.moveTo(AFTER);
    await report(first, final(24, 17)); // 800 at -110 returns 1527
    expect(await member()).toEqual({ balance: 1727, debt: 0, bets_open: 0 });
    await stakeOn(second, 'moneyline', 'home', 1000);
    await stakeOn(third, 'moneyline', 'home', 227);
    await report(first, final(17, 24, 'wrong way round'));
    expect(await member()).toEqual({ balance: 0, debt: 1027, bets_open: 2 });
    const table = await player.get('me/pool');
    expect(table.data.pool).toMatchObject({ credits: 0, debt: 1027 });
    await system.moveTo('2023-10-05T21:00:00Z');
    await report(third, final(7, 0)); // 433
    expect(await member()).toEqual({ balance: 0, debt: 594, bets_open: 1 });
    await report(second, final(7, 0)); // 1909
    expect(await member()).toEqual({ balance: 1315, debt: 0, bets_open: 0 });
    const { rows } = await system.db.query(
      `SELECT r.old_status, r.old_payout::int, r.new_status, r.new_payout::int FROM bet_regrades r
       JOIN bets b ON b.id = r.bet_id WHERE b.user_id = $1`,
      [player.userId],
    );
    expect(rows).toEqual([{ old_status: 'won', old_payout: 1527, new_status: 'lost', new_payout: 0 }]);
    expect(await settlementsOf(first)).toMatchObject([
      { result_version: 1, status: 'done' },
      { result_version: 2, status: 'done' },
    ]);
    const { rows: audited } = await system.db.query(
      "SELECT details FROM audit_log WHERE subject_id = $1 AND action = 'game.regrade'",
      [first.id],
    );
    expect(audited).toMatchObject([{ details: { weekId: WEEK, resultVersion: 2 } }]);
  });

  it('may make a cancelled game final and back', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'cancelled' });
    await report(game, final(24, 17, 'it was played'));
    expect(await statuses(game)).toEqual(['won', 'lost', 'won', 'lost', 'lost', 'won']);
    await report(game, { status: 'cancelled', reason: 'it was not' });
    expect(new Set(await statuses(game))).toEqual(new Set(['void']));
    expect(await member()).toEqual({ balance: 1000, debt: 0, bets_open: 0 });
  });
});
