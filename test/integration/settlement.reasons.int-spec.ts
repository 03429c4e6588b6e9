import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { GameReport } from '../../src/modules/sports/sports.types.js';
import { type Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import type { Deliveries } from '../support/deliveries.js';
import { bothGradings, brokenHistories } from '../support/fresh-grades.js';
import { addProp, aParlay } from '../support/more-markets.js';
import {
  AFTER,
  BEFORE,
  final,
  type PlayedWeek,
  START,
  startPlayedWeek,
  WEEK,
} from '../support/played-week.js';
import type { System } from '../support/system.js';

let system: System;
let make: Builders;
let deliveries: Deliveries;
let results: PlayedWeek['results'];
let player: Client;
let game: TestGame;

beforeAll(async () => {
  ({ system, make, deliveries, results } = await startPlayedWeek());
});
afterAll(async () => system.stop());
beforeEach(async () => {
  await system.moveTo(BEFORE);
  player = await make.member(WEEK);
  game = await make.game({ startsAt: START });
});

async function report(of: TestGame, said: GameReport): Promise<void> {
  await results.report(null, of.id, { ...said, reason: 'said otherwise' });
  await deliveries.all();
}

async function bets(): Promise<{ status: string; reason: string | null; settlement_id: string | null }[]> {
  const { rows } = await system.db.query(
    'SELECT status, reason, payout::int, settlement_id, settled_at FROM bets WHERE user_id = $1 ORDER BY id',
    [player.userId],
  );
  return rows;
}
const reasons = async () => (await bets()).map(({ status, reason }) => `${status} ${reason ?? '-'}`);
const legs = async () =>
  (
    await system.db.query(
      `SELECT concat_ws(' ', l.status, l.reason) AS text FROM bet_legs l JOIN bets b ON b.id = l.bet_id
       WHERE b.user_id = $1 ORDER BY l.bet_id, l.number`,
      [player.userId],
    )
  ).rows.map(({ text }) => text);
const regrades = async () =>
  (
    await system.db.query(
      'SELECT 1 FROM bet_regrades r JOIN bets b ON b.id = r.bet_id WHERE b.user_id = $1',
      [player.userId],
    )
  ).rows.length;
const credits = async () =>
  (
    await system.db.query('SELECT balance::int, debt::int FROM pool_members WHERE user_id = $1', [
      player.userId,
    ])
  ).rows[0];

async function expectAsFromNothing(): Promise<void> {
  const { stored, fresh } = await bothGradings(system, [player.userId]);
  expect(stored).toEqual(fresh);
  expect(await brokenHistories(system)).toEqual([]);
  expect(await unbalanced(system)).toEqual([]);
}

it('follow a correction that changes nothing else: no regrade, no credits, the same settlement', async () => {
  const other = await make.game({ startsAt: START });
  const { id: marketId } = game.moneyline;
  expect((await player.bet({ marketId, outcome: 'home', stake: 100, acceptOdds: 'any' })).status).toBe(201);
  const both = [game, other].map(({ moneyline }) => ({ market: moneyline, outcome: 'home' }));
  await aParlay(system, player.userId, 50, both);
  await system.moveTo(AFTER);
  await report(game, { status: 'cancelled' });
  await report(other, { status: 'cancelled' });
  expect(await reasons()).toEqual(['void GAME_CANCELLED', 'void GAME_CANCELLED']);
  const before = await bets();
  const balance = await credits();

  await report(game, { status: 'walkover', homeScore: 3, awayScore: 0 });
  expect(await reasons()).toEqual(['void GAME_WALKOVER', 'void LEGS_VOID']);
  expect(await legs()).toEqual(['void GAME_WALKOVER', 'void GAME_CANCELLED']);
  expect((await bets()).map((bet) => ({ ...bet, reason: null }))).toEqual(
    before.map((bet) => ({ ...bet, reason: null })),
  );
  expect([await regrades(), await credits()]).toEqual([0, balance]);
  await expectAsFromNothing();

  await report(other, { status: 'walkover' });
  expect(await reasons()).toEqual(['void GAME_WALKOVER', 'void GAME_WALKOVER']);
  expect(await regrades()).toBe(0);
  await expectAsFromNothing();

  // A regrade after it links to what there was.
  await report(game, final(24, 17));
  expect(await reasons()).toEqual(['won -', 'won -']);
  expect(await regrades()).toBe(2);
  await expectAsFromNothing();
});

it('are shown as they are now', async () => {
  const { id: marketId } = game.moneyline;
  await player.bet({ marketId, outcome: 'home', stake: 100, acceptOdds: 'any' });
  await system.moveTo(AFTER);
  await report(game, { status: 'cancelled' });
  const shown = async () => (await player.get('bets')).data.map(({ reason }: { reason: string }) => reason);
  expect(await shown()).toEqual(['GAME_CANCELLED']);
  await report(game, { status: 'walkover' });
  expect(await shown()).toEqual(['GAME_WALKOVER']);
});

it('are gone with what they told', async () => {
  const prop = await addProp(system, game.id, { key: 'first', prices: { a: '2', b: '4', c: '4' } });
  await player.bet({ marketId: prop.id, outcome: 'a', stake: 100, acceptOdds: 'any' });
  await system.moveTo(AFTER);
  await report(game, final(24, 17));
  expect(await reasons()).toEqual(['void RESULT_MISSING']);
  // A dead heat of two at 2.0 returns the stake as well: another status, and another reason.
  await report(game, { ...final(24, 17), props: { first: ['a', 'b'] } });
  expect(await reasons()).toEqual(['won DEAD_HEAT']);
  await report(game, { ...final(24, 17), props: { first: ['a'] } });
  expect(await reasons()).toEqual(['won -']);
  await expectAsFromNothing();
});
