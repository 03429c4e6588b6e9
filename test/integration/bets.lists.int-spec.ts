import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { BetHistoryRepository } from '../../src/modules/bets/bet-history.repository.js';
import { BetsRepository } from '../../src/modules/bets/bets.repository.js';
import type { Database } from '../../src/platform/database/database.js';
import { type Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { joinPool } from '../support/members.js';
import { startPlayedWeek, WEEK } from '../support/played-week.js';
import type { System } from '../support/system.js';

const SUNDAY = '2023-10-08T17:00:00Z';

let system: System;
let make: Builders;

beforeAll(async () => {
  ({ system, make } = await startPlayedWeek({ pools: { minStake: 10, maxStake: 800 } }));
});
afterAll(async () => system.stop());

describe("a player's bets", () => {
  let player: Client;
  let other: Client;
  let game: TestGame;

  beforeAll(async () => {
    [player, other] = (await make.members(2, WEEK)) as [Client, Client];
    game = await make.game({ startsAt: SUNDAY });
  });
  afterEach(async () => expect(await unbalanced(system)).toEqual([]));

  const place = async (client = player) =>
    (await client.bet({ marketId: game.total.id, outcome: 'over', stake: 10, acceptOdds: 'any' })).data
      .betId as string;

  it('are listed newest first, none twice and none missed while bets keep arriving', async () => {
    const first: string[] = [];
    for (let n = 0; n < 23; n += 1) first.push(await place());
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Answer = await player.get(`bets?limit=5${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.status).toBe(200);
      expect(page.body.meta.pagination.limit).toBe(5);
      seen.push(...page.data.map((bet: { id: string }) => bet.id));
      cursor = page.body.meta.pagination.nextCursor;
      await Promise.all([place(), place(other)]);
    }
    expect(seen).toEqual(first.toReversed());
    const all = await player.get('bets?limit=100');
    expect(all.data).toHaveLength(23 + 5);
    expect(all.body.meta.pagination.nextCursor).toBeNull();
  });

  it('are filtered by week, written either way, and by status', async () => {
    const id = await place();
    await system.db.query(
      `UPDATE bets SET status = 'void', payout = 10, settlement_id = gen_random_uuid(), settled_at = placed_at WHERE id = $1`,
      [id],
    );
    await system.db.query(
      `UPDATE pool_members SET paid_out = paid_out + 10, balance = balance + 10, bets_open = bets_open - 1 WHERE user_id = $1`,
      [player.userId],
    );
    const ids = async (query: string) =>
      (await player.get(`bets?limit=100&${query}`)).data.map((bet: { id: string }) => bet.id);
    expect(await ids('status=void')).toEqual([id]);
    expect(await ids('status=placed&week=2023-W40')).toHaveLength(28);
    expect(await ids('week=202340')).toHaveLength(29);
    expect(await ids('week=2023-W41')).toEqual([]);
    expect(await ids('status=won')).toEqual([]);
  });

  it("are nobody else's: another's bet, and one that is none, are not found", async () => {
    const id = await place();
    expect((await player.get(`bets/${id}`)).data).toMatchObject({
      id,
      week: '2023-W40',
      status: 'placed',
      payout: null,
    });
    for (const [client, wanted] of [
      [other, id],
      [player, '9223372036854775807'],
      [player, '9999999999999999999'],
    ] as const) {
      const answer = await client.get(`bets/${wanted}`);
      expect([answer.status, answer.error.code]).toEqual([404, 'BET_NOT_FOUND']);
    }
  });

  const cursorOf = (...parts: string[]) => Buffer.from(parts.join('|')).toString('base64url');

  it.each([
    ['bets', cursorOf('9999999999999999999')],
    ['bets', cursorOf('-1')],
    ['bets', cursorOf('1', '2')],
    ['bets', 'nonsense'],
    ['games', cursorOf('9999999999999999', randomUUID())],
    ['games', cursorOf('1696784400000', '-'.repeat(36))],
    ['weeks/current/draw', cursorOf('-'.repeat(36))],
  ])('refuses a cursor of %s that no list made (%s)', async (list, cursor) => {
    const answer = await player.get(`${list}?cursor=${cursor}`);
    expect([answer.status, answer.error?.code]).toEqual([400, 'INVALID_CURSOR']);
  });

  it('refuses weeks and states that are none', async () => {
    expect((await player.get('bets?week=2023-W53')).error.code).toBe('WEEK_ID_INVALID');
    expect((await player.get('bets?status=paid')).error.code).toBe('VALIDATION_FAILED');
    expect((await player.get('bets?limit=101')).error.code).toBe('VALIDATION_FAILED');
  });
});

describe("a player's history", () => {
  it('is walked week by week, each bet once, newest first; other weeks stay untouched', async () => {
    const [player, stranger] = (await make.players(2)) as [Client, Client];
    const ids: string[] = [];
    for (let week = 202401; week <= 202411; week += 1) {
      await make.week(week, { group: false });
      await system.db.query("UPDATE weeks SET status = 'grouped' WHERE id = $1", [week]);
      if (week === 202405) continue; // a week without this player
      await joinPool(system, week, [player]);
      const { rows } = await system.db.query(
        `WITH placed AS (
           INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, price_num, price_den,
                             stake, potential_payout, placed_at)
           SELECT nextval('bet_id_seq'), $2, pool_id, user_id, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
                  'home', 2, 1, 10, 20, now()
           FROM week_entries, generate_series(1, 3) WHERE user_id = $1 AND week_id = $2
           RETURNING id, pool_id, user_id)
         SELECT id FROM placed ORDER BY id`,
        [player.userId, week],
      );
      ids.unshift(...rows.map((row) => String(row.id)).toReversed());
    }
    expect(ids).toHaveLength(30);
    const seen: string[] = [];
    let cursor = '';
    do {
      const page: Answer = await player.get(`bets?limit=7${cursor}`);
      seen.push(...page.data.map(({ id }: { id: string }) => id));
      const next = page.body.meta.pagination.nextCursor as string | null;
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(seen).toEqual(ids);
    expect((await player.get('bets?limit=100&week=2024-W03')).data).toHaveLength(3);
    for (const id of [ids[0], ids.at(-1)]) expect((await player.get(`bets/${id}`)).data.id).toBe(id);
    expect((await stranger.get(`bets/${ids[0]}`)).error.code).toBe('BET_NOT_FOUND');
    expect((await stranger.get('bets')).data).toEqual([]);
  });

  it('opens no partition that was not asked for', async () => {
    const plan = async (sql: string, values: unknown[]) =>
      (await system.db.query(`EXPLAIN ${sql}`, values)).rows.map((row) => row['QUERY PLAN']).join('\n');
    const seen: string[] = [];
    const explaining = {
      query: async (...given: unknown[]) => {
        const [sql, values] = given.slice(-2) as [string, unknown[]];
        seen.push(await plan(sql, values));
        return [];
      },
    };
    const history = new BetHistoryRepository(explaining as unknown as Database);
    const bets = new BetsRepository(explaining as unknown as Database);
    const user = randomUUID();
    const all = { status: null, kind: null, gameId: null, from: null, to: null, before: null };
    await history.ofUser(user, { ...all, weekIds: [202402, 202403], limit: 5 });
    await history.findOfUser(user, '1', [202402, 202403]);
    await bets.weeksOf(explaining as unknown as EntityManager, [randomUUID()], [202402, 202403]);
    for (const text of seen)
      expect([...new Set(text.match(/ bets_\d{6}\b/g))].toSorted()).toEqual([' bets_202402', ' bets_202403']);
    expect(seen).toHaveLength(3);
  });
});
