import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { SettlementService } from '../../src/modules/settlement/settlement.service.js';
import type { GameReport } from '../../src/modules/sports/sports.types.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { bothGradings, brokenHistories } from '../support/fresh-grades.js';
import { joinPool } from '../support/members.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const BEFORE = '2023-10-03T12:00:00Z';
const START = '2023-10-03T17:00:00Z';
const AFTER = '2023-10-03T20:30:00Z';

let system: System;
let make: Builders;
let deliveries: Deliveries;
let results: ResultsService;
let admin: Client;
let player: Client;

beforeAll(async () => {
  system = await startSystemWithRules({ settlement: { chunkBets: 2 } }, { worker: false, at: BEFORE });
  make = new Builders(system);
  deliveries = new Deliveries(system);
  results = system.app.get(ResultsService);
  await make.week(WEEK);
  admin = await make.admin();
});
afterAll(async () => system.stop());

beforeEach(async () => {
  await system.moveTo(BEFORE);
  [player] = (await make.players(1)) as [Client];
  await joinPool(system, WEEK, [player]);
});
afterEach(async () => {
  await deliveries.all();
  expect(await unbalanced(system)).toEqual([]);
  expect(await brokenHistories(system)).toEqual([]);
});

const OUTCOMES = [
  ['moneyline', 'home'],
  ['moneyline', 'away'],
  ['spread', 'home'],
  ['spread', 'away'],
  ['total', 'over'],
  ['total', 'under'],
] as const;

async function stakeOn(
  game: TestGame,
  kind: 'moneyline' | 'spread' | 'total',
  outcome: string,
  stake = 100,
  by = player,
) {
  const answer = await by.bet({ marketId: game[kind].id, outcome, stake, oddsId: game[kind].odds[outcome] });
  expect(answer.status).toBe(201);
  return answer.data.betId as string;
}

/** A hundred on each of the six outcomes, in the order of OUTCOMES. */
async function stakeOnAll(game: TestGame): Promise<void> {
  for (const [kind, outcome] of OUTCOMES) await stakeOn(game, kind, outcome);
}

async function report(game: TestGame, what: GameReport): Promise<void> {
  await results.report(null, game.id, what);
  await deliveries.all();
}

const final = (homeScore: number, awayScore: number, reason?: string): GameReport => ({
  status: 'final',
  homeScore,
  awayScore,
  ...(reason === undefined ? {} : { reason }),
});

interface Row {
  status: string;
  payout: number | null;
  reason: string | null;
}

async function betsOn(game: TestGame): Promise<Row[]> {
  const { rows } = await system.db.query(
    'SELECT status, payout::int, reason FROM bets WHERE game_id = $1 ORDER BY id',
    [game.id],
  );
  return rows;
}

const statuses = async (game: TestGame) => (await betsOn(game)).map(({ status }) => status);

async function member(client = player) {
  const { rows } = await system.db.query(
    'SELECT balance::int, debt::int, bets_open FROM pool_members WHERE user_id = $1',
    [client.userId],
  );
  return rows[0] as { balance: number; debt: number; bets_open: number };
}

async function marketStates(game: TestGame): Promise<string[]> {
  const { rows } = await system.db.query('SELECT status FROM markets WHERE game_id = $1 ORDER BY kind', [
    game.id,
  ]);
  return rows.map((row) => row.status);
}

async function settlementsOf(game: TestGame) {
  const { rows } = await system.db.query(
    `SELECT result_version, week_id, status, completed_at IS NOT NULL AS completed, chunks_total,
            (SELECT count(*)::int FROM settlement_chunks c WHERE c.settlement_id = s.id AND done_at IS NOT NULL) AS chunks_done
     FROM settlements s WHERE game_id = $1 ORDER BY result_version`,
    [game.id],
  );
  return rows;
}

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

describe('a game that is not played to its end', () => {
  const VOID = (reason: string) => ({ status: 'void', payout: 100, reason });

  it('is void when cancelled, before its start or after', async () => {
    for (const now of [BEFORE, AFTER]) {
      const game = await make.game({ startsAt: START });
      await stakeOn(game, 'total', 'over');
      await stakeOn(game, 'moneyline', 'home');
      await system.moveTo(now);
      await report(game, { status: 'cancelled' });
      expect(await betsOn(game)).toEqual([VOID('GAME_CANCELLED'), VOID('GAME_CANCELLED')]);
      expect(await member()).toEqual({ balance: 1000, debt: 0, bets_open: 0 });
      await system.moveTo(BEFORE);
    }
  });

  it('counts when abandoned after 55 minutes', async () => {
    const game = await make.game({ startsAt: START, total: '45.00' });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'abandoned', homeScore: 20, awayScore: 10, minutesPlayed: 55 });
    expect(await statuses(game)).toEqual(['won', 'lost', 'won', 'lost', 'lost', 'won']);
  });

  it.each([
    { homeScore: 30, awayScore: 16, minutesPlayed: 54, total: '45.00', over: ['won', 'lost'] },
    { homeScore: 30, awayScore: 16, total: '45.00', over: ['won', 'lost'] },
    { homeScore: 30, awayScore: 15, minutesPlayed: 54, total: '45.00', over: ['void', 'void'] },
    { homeScore: 30, awayScore: 15, minutesPlayed: 54, total: '44.75', over: ['half_won', 'half_lost'] },
    { total: '45.00', over: ['void', 'void'] },
  ])('is void when abandoned earlier, but what was decided stands: %p', async ({ total, over, ...stand }) => {
    const game = await make.game({ startsAt: START, total });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'abandoned', ...stand });
    expect(await statuses(game)).toEqual(['void', 'void', 'void', 'void', ...over]);
    expect((await betsOn(game))[0]?.reason).toBe('GAME_ABANDONED');
  });

  it('needs both scores when minutes were played, so that it can be graded', async () => {
    const game = await make.game({ startsAt: START });
    await system.moveTo(AFTER);
    const answer = await admin.post(`admin/games/${game.id}/result`, {
      status: 'abandoned',
      minutesPlayed: 57,
    });
    expect([answer.status, answer.error.code]).toEqual([422, 'RESULT_INCOMPLETE']);
  });

  it('needs both scores with the minutes while it goes on, but not those told before', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    const path = `admin/games/${game.id}/result`;
    for (const scores of [{}, { homeScore: 20 }, { awayScore: 10 }]) {
      const answer = await admin.post(path, { status: 'in_progress', minutesPlayed: 56, ...scores });
      expect([answer.status, answer.error.code]).toEqual([422, 'RESULT_INCOMPLETE']);
    }
    await report(game, { status: 'in_progress', homeScore: 20, awayScore: 10 });
    await report(game, { status: 'in_progress', minutesPlayed: 56 });
    await system.moveTo('2023-10-04T23:00:00Z');
    await results.giveUp(game.id);
    await deliveries.all();
    expect(await statuses(game)).toEqual(['won', 'lost', 'won', 'lost', 'lost', 'won']);
  });

  it('is void when it is given up with minutes but without scores, as it may be stored', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'in_progress' });
    await system.db.query('UPDATE games SET minutes_played = 57 WHERE id = $1', [game.id]);
    await system.moveTo('2023-10-04T23:00:00Z');
    await results.giveUp(game.id);
    await deliveries.all();
    expect(new Set(await statuses(game))).toEqual(new Set(['void']));
  });

  it('keeps its bets when postponed within 12 hours of its first time, and takes bets again', async () => {
    const game = await make.game({ startsAt: START });
    await system.db.query("UPDATE markets SET status = 'suspended' WHERE id = $1", [game.moneyline.id]);
    await stakeOn(game, 'total', 'over');
    await system.moveTo(START);
    await results.lockAtStart(game.id);
    const later = new Date('2023-10-04T05:00:00Z');
    await report(game, { status: 'postponed', startsAt: later });
    // What was suspended before the start is not opened by its move.
    expect(await marketStates(game)).toEqual(['suspended', 'open', 'open']);
    await stakeOn(game, 'total', 'under');
    await system.moveTo('2023-10-04T08:30:00Z');
    await report(game, final(24, 20));
    expect(await betsOn(game)).toEqual([
      { status: 'lost', payout: 0, reason: null },
      { status: 'won', payout: 190, reason: null },
    ]);
    expect(await marketStates(game)).toEqual(['settled', 'settled', 'settled']);
  });

  it('is void at once when postponed beyond the grace', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOn(game, 'total', 'over');
    await report(game, { status: 'postponed', startsAt: new Date('2023-10-04T05:00:01Z') });
    expect(await betsOn(game)).toEqual([VOID('GAME_CANCELLED')]);
  });

  it('is void at the end of the grace when postponed without a new time', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOn(game, 'total', 'over');
    await report(game, { status: 'postponed' });
    await system.moveTo('2023-10-04T04:59:59Z');
    await results.giveUp(game.id);
    expect(await statuses(game)).toEqual(['placed']);
    await system.moveTo('2023-10-04T05:00:00Z');
    await results.giveUp(game.id);
    await results.giveUp(game.id);
    await deliveries.all();
    expect(await betsOn(game)).toEqual([VOID('GAME_CANCELLED')]);
    expect(await settlementsOf(game)).toHaveLength(1);
  });

  it('is void 30 hours after its start, but what was decided by then stands', async () => {
    const game = await make.game({ startsAt: START, total: '45.00' });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'in_progress', homeScore: 20, awayScore: 10 });
    await report(game, { status: 'in_progress', homeScore: 30, awayScore: 17 });
    await system.moveTo('2023-10-04T22:59:59Z');
    await results.giveUp(game.id);
    expect(await statuses(game)).toEqual(Array.from({ length: 6 }, () => 'placed'));
    await system.moveTo('2023-10-04T23:00:00Z');
    await results.giveUp(game.id);
    await deliveries.all();
    expect(await statuses(game)).toEqual(['void', 'void', 'void', 'void', 'won', 'lost']);
  });

  it('is void when it breaks off and is not taken up within the grace, but what was decided stands', async () => {
    const game = await make.game({ startsAt: START, total: '45.00' });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'in_progress', homeScore: 30, awayScore: 17 });
    await report(game, { status: 'postponed' });
    await system.moveTo('2023-10-04T05:00:00Z');
    await results.giveUp(game.id);
    await deliveries.all();
    expect(await statuses(game)).toEqual(['void', 'void', 'void', 'void', 'won', 'lost']);
  });

  it.each([
    { first: { status: 'final', homeScore: 1, awayScore: 0 }, next: { status: 'in_progress', reason: 'x' } },
    { first: { status: 'cancelled' }, next: { status: 'postponed', reason: 'x' } },
    { first: { status: 'postponed' }, next: { status: 'in_progress' } },
  ])('does not go back from $first.status to $next.status', async ({ first, next }) => {
    const game = await make.game({ startsAt: START });
    await system.moveTo(AFTER);
    const path = `admin/games/${game.id}/result`;
    expect((await admin.post(path, first)).status).toBe(200);
    const answer = await admin.post(path, next);
    expect([answer.status, answer.error.code]).toEqual([409, 'GAME_STATE_CONFLICT']);
  });

  it('is forgotten where it stood when it starts anew', async () => {
    const game = await make.game({ startsAt: START, total: '20.00' });
    await stakeOnAll(game);
    await system.moveTo(AFTER);
    await report(game, { status: 'in_progress', homeScore: 20, awayScore: 10, minutesPlayed: 20 });
    await report(game, { status: 'postponed', startsAt: new Date('2023-10-04T01:00:00Z') });
    await system.moveTo('2023-10-05T12:00:00Z');
    await results.giveUp(game.id);
    await deliveries.all();
    expect(new Set(await statuses(game))).toEqual(new Set(['void']));
  });
});

describe('a bet taken after the start', () => {
  it('is void with its reason when the start turns out to have been earlier', async () => {
    const game = await make.game({ startsAt: START });
    await stakeOn(game, 'moneyline', 'home');
    await system.moveTo('2023-10-03T16:40:00Z');
    await stakeOn(game, 'moneyline', 'home');
    await system.db.query("UPDATE games SET starts_at = '2023-10-03T16:30:00Z' WHERE id = $1", [game.id]);
    await system.moveTo(AFTER);
    await report(game, final(24, 20));
    expect(await betsOn(game)).toEqual([
      { status: 'won', payout: 190, reason: null },
      { status: 'void', payout: 100, reason: 'TAKEN_AFTER_START' },
    ]);
    await report(game, final(20, 24, 'wrong way round'));
    expect(await statuses(game)).toEqual(['lost', 'void']);
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

describe('events', () => {
  async function finished() {
    const others = await make.players(8);
    for (const [index, other] of others.entries()) await joinPool(system, WEEK, [other], 30 + (index % 4));
    const game = await make.game({ startsAt: START });
    for (const other of others) {
      await stakeOn(game, 'total', 'under', 50, other);
      await stakeOn(game, 'moneyline', 'away', 50, other);
    }
    await system.moveTo(AFTER);
    await results.report(null, game.id, final(24, 17));
    return { game, userIds: others.map(({ userId }) => userId) };
  }

  it('settle once though two workers settle the game at once and each event comes twice', async () => {
    const { game, userIds } = await finished();
    for (let left = await deliveries.waiting(); left.length > 0; left = await deliveries.waiting()) {
      await Promise.all([...left, ...left, ...left].map((delivery) => deliveries.hand(delivery)));
      await system.db.query('DELETE FROM outbox WHERE id = ANY ($1)', [left.map(({ id }) => id)]);
    }
    expect(await settlementsOf(game)).toMatchObject([{ result_version: 1, status: 'done', chunks_done: 4 }]);
    const { stored, fresh } = await bothGradings(system, userIds);
    expect(stored).toEqual(fresh);
    const { rows } = await system.db.query(
      'SELECT count(*)::int AS n FROM bet_regrades r JOIN bets b ON b.id = r.bet_id WHERE b.game_id = $1',
      [game.id],
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('that speak of a version that is no longer the result are passed over', async () => {
    const { game, userIds } = await finished();
    const [stale] = await deliveries.waiting();
    await results.report(null, game.id, final(10, 17, 'corrected'));
    await deliveries.hand(stale!);
    expect(await settlementsOf(game)).toEqual([]);
    await deliveries.all();
    expect(await settlementsOf(game)).toMatchObject([{ result_version: 2, status: 'done' }]);
    await deliveries.hand(stale!);
    expect(await settlementsOf(game)).toHaveLength(1);
    const { stored, fresh } = await bothGradings(system, userIds);
    expect(stored).toEqual(fresh);
  });

  it('of a settlement that a correction overtakes half way leave the rest to the new one', async () => {
    const { game, userIds } = await finished();
    await deliveries.deliver((await deliveries.waiting())[0]!);
    const settlements = system.app.get(SettlementService);
    const { rows } = await system.db.query('SELECT * FROM settlements WHERE game_id = $1', [game.id]);
    // Two of four chunks, as a worker leaves them that is killed.
    await settlements['gradeNextChunk'](rows[0].id);
    await settlements['gradeNextChunk'](rows[0].id);
    expect(new Set(await statuses(game))).toEqual(new Set(['won', 'lost', 'placed']));
    await results.report(null, game.id, final(10, 17, 'corrected'));
    await deliveries.deliver((await deliveries.waiting()).find(({ topic }) => topic.startsWith('sports.'))!);
    await deliveries.all();
    expect(await settlementsOf(game)).toMatchObject([
      { result_version: 1, status: 'superseded', chunks_done: 2 },
      { result_version: 2, status: 'done', chunks_done: 4 },
    ]);
    const { stored, fresh } = await bothGradings(system, userIds);
    expect(stored).toEqual(fresh);
  });
});

describe('a game moved over the end of the week', () => {
  it('settles its bets in the week in which they were placed, and tells both weeks', async () => {
    const game = await make.game({ startsAt: '2023-10-09T00:20:00Z' });
    await stakeOn(game, 'moneyline', 'home');
    await report(game, { status: 'postponed', startsAt: new Date('2023-10-09T12:00:00Z') });
    await system.moveTo('2023-10-09T15:30:00Z');
    await results.report(null, game.id, final(24, 17));
    await deliveries.deliver((await deliveries.waiting())[0]!);
    expect(await settlementsOf(game)).toMatchObject([{ week_id: WEEK }, { week_id: 202341 }]);
    await make.week(202341, { group: false });
    await deliveries.all();
    expect(await statuses(game)).toEqual(['won']);
  });
});
