import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SettlementService } from '../../src/modules/settlement/settlement.service.js';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { joinPool } from '../support/members.js';
import { aParlay } from '../support/more-markets.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const START = '2023-10-03T17:00:00Z';
const CHUNK_BETS = 6;

describe("a settlement's progress", () => {
  let system: System;
  let admin: Client;
  let deliveries: Deliveries;
  let games: TestGame[];
  let settlementId: string;

  beforeAll(async () => {
    system = await startSystemWithRules(
      { settlement: { chunkBets: CHUNK_BETS } },
      { worker: false, at: '2023-10-03T12:00:00Z' },
    );
    const make = new Builders(system);
    deliveries = new Deliveries(system);
    await make.week(WEEK);
    admin = await make.admin();
    games = [await make.game({ startsAt: START }), await make.game({ startsAt: START })];
    // Nine pools with two singles and one parlay each: three pools a chunk would be nine, so two.
    const players = await make.players(9);
    for (const [index, player] of players.entries()) {
      await joinPool(system, WEEK, [player], index + 1);
      const { id: marketId, odds } = games[0]!.moneyline;
      for (const outcome of ['home', 'away'])
        expect((await player.bet({ marketId, outcome, stake: 100, oddsId: odds[outcome] })).status).toBe(201);
      await aParlay(
        system,
        player.userId,
        100,
        games.map(({ moneyline }) => ({ market: moneyline, outcome: 'home' })),
      );
    }
    await system.moveTo('2023-10-03T20:30:00Z');
    await system.app
      .get(ResultsService)
      .report(null, games[0]!.id, { status: 'final', homeScore: 20, awayScore: 10 });
    await start();
    settlementId = (await system.db.query('SELECT id FROM settlements')).rows[0].id;
  });
  afterAll(async () => system.stop());

  /** Starts what is recorded, and grades nothing. */
  const start = async () => {
    for (const delivery of await deliveries.waiting())
      if (delivery.topic === 'sports.game-result-recorded') await deliveries.deliver(delivery);
  };
  const progress = async () => (await admin.get(`admin/settlements/${settlementId}`)).data;
  const run = () => system.app.get(SettlementService).run(settlementId);

  it('begins with everything left, cut into chunks of whole pools that count legs as bets', async () => {
    expect(await progress()).toMatchObject({
      kind: 'settle',
      status: 'running',
      chunksDone: 0,
      chunksTotal: 5,
      betsDone: 0,
      betsLeft: 27,
      betsTotal: 27,
      betsPerSecond: 0,
      completedAt: null,
      errors: [],
    });
    const { rows } = await system.db.query('SELECT bets FROM settlement_chunks ORDER BY number');
    expect(rows.map(({ bets }) => bets)).toEqual([6, 6, 6, 6, 3]);
    expect(Math.max(...rows.map(({ bets }) => bets))).toBeLessThanOrEqual(CHUNK_BETS);
  });

  it('tells which chunk fails and why, without a value, while the others are done', async () => {
    const {
      rows: [{ user_id: broken, bets_open: open }],
    } = await system.db.query(
      `SELECT m.user_id, m.bets_open FROM settlement_chunks c JOIN pool_members m ON m.pool_id = ANY (c.pool_ids)
       WHERE c.number = 3 ORDER BY m.user_id LIMIT 1`,
    );
    await system.db.query('UPDATE pool_members SET bets_open = 0 WHERE user_id = $1', [broken]);
    await expect(run()).rejects.toThrow('pool_members');
    expect((await progress()).errors).toMatchObject([{ number: 3, attempts: 1 }]);
    // What has failed is tried last.
    await expect(run()).rejects.toThrow('pool_members');
    const failed = await progress();
    expect(failed).toMatchObject({ status: 'running', chunksDone: 4, betsDone: 21, betsLeft: 6 });
    expect(failed.errors).toEqual([
      { number: 3, attempts: 2, error: expect.stringMatching(/^23514 pool_members \w+$/) },
    ]);
    expect(JSON.stringify(failed)).not.toContain(broken);

    await system.db.query('UPDATE pool_members SET bets_open = $2 WHERE user_id = $1', [broken, open]);
    await run();
    const told = await progress();
    expect(told).toMatchObject({ status: 'done', chunksDone: 5, betsDone: 27, betsLeft: 0, errors: [] });
    expect(told.completedAt).not.toBeNull();
    const { rows } = await system.db.query('SELECT attempts, error FROM settlement_chunks WHERE number = 3');
    expect(rows).toEqual([{ attempts: 2, error: null }]);
    expect(await unbalanced(system)).toEqual([]);
  });

  it('has a rate: the bets that are done over the seconds since it began', async () => {
    await system.db.query(
      "UPDATE settlements SET created_at = completed_at - interval '3 seconds' WHERE id = $1",
      [settlementId],
    );
    expect(await progress()).toMatchObject({ betsPerSecond: 9 });
  });

  it('is listed, newest first, by game and by status', async () => {
    const list = async (query: string) => (await admin.get(`admin/settlements?${query}`)).data;
    await system.app
      .get(ResultsService)
      .report(null, games[0]!.id, { status: 'cancelled', reason: 'struck from the record' });
    await system.app
      .get(ResultsService)
      .report(null, games[1]!.id, { status: 'final', homeScore: 1, awayScore: 0 });
    await start();
    const kindsOf = (rows: { kind: string; status: string }[]) =>
      rows.map(({ kind, status }) => `${kind} ${status}`);
    expect(kindsOf(await list(''))).toEqual(['settle running', 'cancel running', 'settle done']);
    expect(kindsOf(await list(`gameId=${games[0]!.id}`))).toEqual(['cancel running', 'settle done']);
    expect(kindsOf(await list('status=running'))).toEqual(['settle running', 'cancel running']);
    expect(kindsOf(await list(`status=done&gameId=${games[1]!.id}`))).toEqual([]);
    const first = await admin.get('admin/settlements?limit=2');
    const rest = await admin.get(`admin/settlements?limit=2&cursor=${first.body.meta.pagination.nextCursor}`);
    expect(kindsOf([...first.data, ...rest.data])).toEqual([
      'settle running',
      'cancel running',
      'settle done',
    ]);
    expect(rest.body.meta.pagination.nextCursor).toBeNull();
    expect((await admin.get('admin/settlements?cursor=x')).error.code).toBe('INVALID_CURSOR');
    expect((await admin.get('admin/settlements?status=lost')).error.code).toBe('VALIDATION_FAILED');
    await deliveries.all();
    expect(await unbalanced(system)).toEqual([]);
    expect((await admin.get('admin/settlements/01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e')).error.code).toBe(
      'SETTLEMENT_NOT_FOUND',
    );
  });
});
