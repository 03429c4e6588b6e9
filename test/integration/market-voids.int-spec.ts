import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { Deliveries } from '../support/deliveries.js';
import { joinPool } from '../support/members.js';
import { aParlay } from '../support/more-markets.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const BEFORE = '2023-10-03T12:00:00Z';
const REASON = { reason: 'Price obviously wrong' };

let system: System;
let make: Builders;
let deliveries: Deliveries;
let admins: Client[];
let game: TestGame;
let path: string;
let player: Client;

beforeAll(async () => {
  system = await startSystemWithRules(
    { settlement: { secondApprovalBets: 2 } },
    { worker: false, at: BEFORE },
  );
  make = new Builders(system);
  deliveries = new Deliveries(system);
  await make.week(WEEK);
  admins = [];
  for (let n = 0; n < 4; n += 1) admins.push(await make.admin());
});
afterAll(async () => system.stop());

beforeEach(async () => {
  await system.moveTo(BEFORE);
  [player] = (await make.players(1)) as [Client];
  await joinPool(system, WEEK, [player]);
  game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
  path = `admin/markets/${game.moneyline.id}/void`;
});

async function stakes(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const { id: marketId, odds } = game.moneyline;
    const answer = await player.bet({ marketId, outcome: 'home', stake: 10, oddsId: odds['home'] });
    expect(answer.status).toBe(201);
  }
}

async function marketStatus(): Promise<string> {
  return (await system.db.query('SELECT status FROM markets WHERE id = $1', [game.moneyline.id])).rows[0]
    .status;
}

async function audited(): Promise<string[]> {
  const { rows } = await system.db.query(
    'SELECT action, actor_id FROM audit_log WHERE subject_id = $1 ORDER BY id',
    [game.moneyline.id],
  );
  return rows.map(
    ({ action, actor_id: actor }) => `${action} ${admins.findIndex(({ userId }) => userId === actor)}`,
  );
}

const pending = async () =>
  (await admins[0]!.get('admin/market-voids')).data.filter(
    ({ marketId }: { marketId: string }) => marketId === game.moneyline.id,
  );

describe('a market with few bets', () => {
  it('is voided by one person', async () => {
    await stakes(2);
    const answer = await admins[0]!.post(path, REASON);
    expect([answer.status, answer.data.id]).toEqual([200, game.id]);
    expect(await marketStatus()).toBe('voided');
    expect(await audited()).toEqual(['market.void 0']);
  });
});

describe('a market with many bets', () => {
  beforeEach(async () => stakes(3));

  it('waits for a second person, who voids it', async () => {
    const first = await admins[0]!.post(path, REASON);
    expect(first.status).toBe(202);
    expect(first.data).toMatchObject({
      marketId: game.moneyline.id,
      requestedBy: admins[0]!.userId,
      reason: REASON.reason,
      bets: 3,
    });
    expect(Date.parse(first.data.expiresAt) - Date.parse(first.data.requestedAt)).toBe(86_400_000);
    expect(await marketStatus()).toBe('open');
    expect(await pending()).toEqual([first.data]);
    const results = (await deliveries.waiting()).filter(({ payload }) => payload['gameId'] === game.id);
    expect(results).toEqual([]);

    const again = await admins[0]!.post(path, REASON);
    expect([again.status, again.error.code]).toEqual([409, 'SECOND_PERSON_NEEDED']);
    expect(await marketStatus()).toBe('open');

    const second = await admins[1]!.post(path, { reason: 'I see it too' });
    expect([second.status, second.data.id]).toEqual([200, game.id]);
    expect(await marketStatus()).toBe('voided');
    expect(await pending()).toEqual([]);
    expect(await audited()).toEqual(['market.void-request 0', 'market.void 1']);
    await deliveries.all();
    const { rows } = await system.db.query('SELECT DISTINCT status, reason FROM bets WHERE user_id = $1', [
      player.userId,
    ]);
    expect(rows).toEqual([{ status: 'void', reason: 'MARKET_VOIDED' }]);
    expect(await unbalanced(system)).toEqual([]);

    const third = await admins[2]!.post(path, REASON);
    expect([third.status, third.error.code]).toEqual([409, 'MARKET_STATE_CONFLICT']);
  });

  it('forgets after a day who asked', async () => {
    await admins[0]!.post(path, REASON);
    await system.moveTo('2023-10-04T12:00:10Z');
    expect(await pending()).toEqual([]);
    const second = await admins[1]!.post(path, REASON);
    expect([second.status, second.data.requestedBy]).toEqual([202, admins[1]!.userId]);
    expect((await admins[0]!.post(path, REASON)).status).toBe(200);
    expect(await marketStatus()).toBe('voided');
  });

  it('is voided by one of many who ask at once', async () => {
    await admins[0]!.post(path, REASON);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => admins[1 + (n % 3)]!.post(path, REASON)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(49);
    const { rows } = await system.db.query(
      'SELECT requested_by <> approved_by AS two FROM market_void_requests WHERE market_id = $1',
      [game.moneyline.id],
    );
    expect(rows).toEqual([{ two: true }]);
    const { rows: games } = await system.db.query('SELECT result_version FROM games WHERE id = $1', [
      game.id,
    ]);
    expect(games).toEqual([{ result_version: 1 }]);
  });

  it('is not voided by one person, however often they ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => admins[0]!.post(path, REASON)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ error }) => error?.code === 'SECOND_PERSON_NEEDED')).toHaveLength(49);
    expect(await marketStatus()).toBe('open');
    expect(await pending()).toHaveLength(1);
  });

  it('is not asked for by two who come first at once, but voided by the later one', async () => {
    const answers = await Promise.all([admins[0]!.post(path, REASON), admins[1]!.post(path, REASON)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 202]);
    expect(await marketStatus()).toBe('voided');
  });
});

it('counts the legs of parlays as bets', async () => {
  const other = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
  const legs = [game, other].map(({ moneyline }) => ({ market: moneyline, outcome: 'home' }));
  for (let n = 0; n < 3; n += 1) await aParlay(system, player.userId, 10, legs);
  expect((await admins[0]!.post(path, REASON)).status).toBe(202);
});

it('lists what waits, page by page', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    await stakes(3);
    ids.push((await admins[0]!.post(`admin/markets/${game.moneyline.id}/void`, REASON)).data.id);
  }
  const found: string[] = [];
  for (let cursor = ''; ;) {
    const answer = await admins[3]!.get(`admin/market-voids?limit=2${cursor}`);
    found.push(...answer.data.map(({ id }: { id: string }) => id));
    const { nextCursor } = answer.body.meta.pagination;
    if (nextCursor === null) break;
    cursor = `&cursor=${nextCursor}`;
  }
  expect(found.slice(-3)).toEqual(ids);
  expect(new Set(found).size).toBe(found.length);
});
