import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 } from 'uuid';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { weekBounds } from '../../src/modules/pools/domain/calendar.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { joinPool } from '../support/members.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { reprice } from '../support/slips.js';
import type { System } from '../support/system.js';

const WEEK = 202340;
const SUNDAY = '2023-10-08T17:00:00Z';

let system: System;
let make: Builders;

beforeAll(async () => {
  system = await startSystemWithRules(
    { pools: { minStake: 10, maxStake: 800 } },
    { worker: false, at: '2023-10-03T12:00:00Z' },
  );
  make = new Builders(system);
  await make.week(WEEK, { group: false });
});
afterAll(async () => system.stop());

/** Every row that a refused bet must leave as it is. */
async function traces(userId: string): Promise<unknown> {
  const { rows } = await system.db.query(
    `SELECT (SELECT to_jsonb(m) FROM pool_members m WHERE m.user_id = $1 AND m.week_id = $2) AS member,
            (SELECT count(*) FROM bets) AS bets, (SELECT count(*) FROM idempotency_keys) AS keys,
            (SELECT count(*) FROM outbox) AS events`,
    [userId, WEEK],
  );
  return rows[0];
}

describe('what place_bets refuses', () => {
  /** A bet that would be accepted, until conditions are added. */
  interface Scene {
    game: TestGame;
    other: TestGame;
    pool: boolean;
    poor: boolean;
    barred: boolean;
    body: { marketId: string; outcome: string; stake: number; oddsId: string; acceptOdds?: string };
  }

  interface Condition {
    code: string;
    status: number;
    details: object;
    apply(scene: Scene): unknown;
    undo?(): unknown;
  }

  /** In the documented order. */
  const CONDITIONS: Condition[] = [
    {
      code: 'NOT_IN_POOL',
      status: 422,
      details: { week: WEEK },
      apply: (scene) => (scene.pool = false),
    },
    {
      code: 'WEEK_NOT_PLAYING',
      status: 409,
      details: { week: WEEK, status: 'closed' },
      apply: () => system.db.query("UPDATE weeks SET status = 'closed' WHERE id = $1", [WEEK]),
      undo: () => system.db.query("UPDATE weeks SET status = 'grouped' WHERE id = $1", [WEEK]),
    },
    {
      code: 'MARKET_NOT_FOUND',
      status: 404,
      details: { marketId: expect.any(String) },
      apply: (scene) => (scene.body.marketId = randomUUID()),
    },
    {
      code: 'GAME_NOT_IN_WEEK',
      status: 422,
      details: { startsAt: expect.any(String) },
      apply: ({ game }) =>
        system.db.query("UPDATE games SET starts_at = '2023-10-01T17:00:00Z' WHERE id = $1", [game.id]),
    },
    {
      code: 'MARKET_NOT_OPEN',
      status: 409,
      details: { status: 'suspended' },
      apply: ({ game }) =>
        system.db.query("UPDATE markets SET status = 'suspended' WHERE id = $1", [game.spread.id]),
    },
    {
      code: 'GAME_STARTED',
      status: 409,
      details: { startsAt: expect.any(String) },
      // A start in another week stays there.
      apply: ({ game }) =>
        system.db.query('UPDATE games SET starts_at = least(starts_at, $2) WHERE id = $1', [
          game.id,
          system.now(),
        ]),
    },
    {
      code: 'OUTCOME_UNKNOWN',
      status: 422,
      details: { field: 'outcome' },
      apply: (scene) => (scene.body.outcome = 'over'),
    },
    {
      code: 'STAKE_TOO_SMALL',
      status: 422,
      details: { field: 'stake', minimum: 10 },
      apply: (scene) => (scene.body.stake = 9),
    },
    {
      code: 'STAKE_TOO_LARGE',
      status: 422,
      details: { field: 'stake', maximum: 800 },
      apply: (scene) => (scene.body.stake = 801),
    },
    {
      code: 'INSUFFICIENT_CREDITS',
      status: 422,
      details: { field: 'stake', available: 8 },
      apply: (scene) => (scene.poor = true),
    },
    {
      code: 'SELF_EXCLUDED',
      status: 403,
      details: {},
      apply: (scene) => (scene.barred = true),
    },
    {
      code: 'ODDS_UNKNOWN',
      status: 422,
      details: { field: 'oddsId' },
      apply: (scene) => (scene.body.oddsId = scene.other.spread.odds['home']!),
    },
    {
      code: 'ODDS_CHANGED',
      status: 409,
      details: { current: { oddsId: expect.any(String), american: -115, decimal: '1.8696' } },
      apply: ({ game }) => reprice(system, game.spread, 'home', { american: -115 }),
    },
  ];
  const EXCLUSIVE = ['STAKE_TOO_SMALL+STAKE_TOO_LARGE', 'ODDS_UNKNOWN+ODDS_CHANGED'];
  const PAIRS = CONDITIONS.flatMap((first, index) =>
    CONDITIONS.slice(index + 1)
      .filter((second) => !EXCLUSIVE.includes(`${first.code}+${second.code}`))
      .map((second) => ({ first, second })),
  );

  const people = new Map<string, Client>();

  beforeAll(async () => {
    const members = await make.players(4, { pass: WEEK });
    const outsiders = await make.players(2);
    await make.week(WEEK);
    const [fine, poor, barred, both] = members as [Client, Client, Client, Client];
    const [out, barredOut] = outsiders as [Client, Client];
    for (const [pool, isPoor, isBarred, client] of [
      [true, false, false, fine],
      [true, true, false, poor],
      [true, false, true, barred],
      [true, true, true, both],
      [false, false, false, out],
      [false, true, false, out],
      [false, false, true, barredOut],
      [false, true, true, barredOut],
    ] as const)
      people.set(`${pool} ${isPoor} ${isBarred}`, client);
    for (const client of [barred, both, barredOut])
      await system.app.get(ComplianceService).exclude(client.userId, null);
    const stake = 992;
    const game = await make.game({ startsAt: SUNDAY });
    await system.db.query(
      `UPDATE pool_members SET balance = balance - $2, staked = staked + $2, bets_placed = 1, bets_open = 1
       WHERE user_id = ANY ($1)`,
      [[poor.userId, both.userId], stake],
    );
    await system.db.query(
      `INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, american, price_num,
                         price_den, stake, potential_payout, placed_at)
       SELECT nextval('bet_id_seq'), week_id, pool_id, user_id, $2, $3, $4, 'home', -110, 21, 11, $5, 1893, $6
       FROM pool_members WHERE user_id = ANY ($1)`,
      [[poor.userId, both.userId], game.id, game.spread.id, game.spread.odds['home'], stake, system.now()],
    );
  });

  async function act(conditions: Condition[]) {
    const [game, other] = [await make.game({ startsAt: SUNDAY }), await make.game({ startsAt: SUNDAY })];
    const scene: Scene = {
      game,
      other,
      pool: true,
      poor: false,
      barred: false,
      body: { marketId: game.spread.id, outcome: 'home', stake: 50, oddsId: game.spread.odds['home']! },
    };
    for (const condition of conditions) await condition.apply(scene);
    const player = people.get(`${scene.pool} ${scene.poor} ${scene.barred}`)!;
    try {
      const before = await traces(player.userId);
      const answer = await player.bet(scene.body);
      return { answer, before, after: await traces(player.userId) };
    } finally {
      for (const condition of conditions) await condition.undo?.();
    }
  }

  it('accepts the bet to which the conditions are added', async () => {
    const { answer } = await act([]);
    expect(answer.status).toBe(201);
    expect(answer.data).toMatchObject({
      betId: expect.stringMatching(/^\d+$/),
      status: 'placed',
      remainingCredits: 950,
      potentialPayout: 95,
      odds: { american: -110, decimal: '1.9091' },
    });
  });

  it.each(CONDITIONS)('refuses with $code and changes nothing', async (condition) => {
    const { answer, before, after } = await act([condition]);
    expect([answer.status, answer.error?.code, answer.error?.details]).toEqual([
      condition.status,
      condition.code,
      condition.details,
    ]);
    expect(after).toEqual(before);
  });

  it.each(PAIRS)('answers $first.code before $second.code', async ({ first, second }) => {
    const { answer, before, after } = await act([first, second]);
    expect(answer.error?.code).toBe(first.code);
    expect(after).toEqual(before);
  });

  it('says that the game has started, not that its market is closed, once the start has closed it', async () => {
    const game = await make.game({ startsAt: SUNDAY });
    await system.db.query('UPDATE games SET starts_at = $2 WHERE id = $1', [game.id, system.now()]);
    await system.db.query("UPDATE markets SET status = 'closed' WHERE game_id = $1", [game.id]);
    const body = { marketId: game.spread.id, outcome: 'home', stake: 50, oddsId: game.spread.odds['home'] };
    expect((await people.get('true false false')!.bet(body)).error.code).toBe('GAME_STARTED');
  });

  it('goes by the official start, whatever status the feed gives, and by a start the feed tells early', async () => {
    const player = people.get('true false false')!;
    const begun = await make.game({ startsAt: '2023-10-03T11:59:59Z' });
    const early = await make.game({ startsAt: SUNDAY });
    await system.db.query("UPDATE games SET status = 'in_progress' WHERE id = $1", [early.id]);
    for (const game of [begun, early]) {
      const body = { marketId: game.spread.id, outcome: 'home', stake: 50, oddsId: game.spread.odds['home'] };
      expect((await player.bet(body)).error.code).toBe('GAME_STARTED');
    }
  });

  it.each([0, -1, 1.5, 1e10, '50', null, true])(
    'refuses the stake %p as no positive integer',
    async (stake) => {
      const game = await make.game({ startsAt: SUNDAY });
      const player = people.get('true false false')!;
      const before = await traces(player.userId);
      const answer = await player.bet({ marketId: game.total.id, outcome: 'over', stake, acceptOdds: 'any' });
      expect([answer.status, answer.error.code]).toEqual([400, 'VALIDATION_FAILED']);
      expect(await traces(player.userId)).toEqual(before);
    },
  );

  describe('of a user', () => {
    const THE_PAST = '2023-10-01T00:00:00Z';
    const restrict = (userId: string, kind: string, from: string, to: string | null) =>
      system.db.query(
        'INSERT INTO restrictions (id, user_id, kind, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5)',
        [v7(), userId, kind, from, to],
      );
    const banned = (userId: string) =>
      system.db.query("UPDATE users SET status = 'banned' WHERE id = $1", [userId]);
    const excluded = (userId: string) => restrict(userId, 'self_exclusion', THE_PAST, '2024-10-01T00:00:00Z');
    const timedOut = (userId: string) => restrict(userId, 'time_out', THE_PAST, '2023-10-20T00:00:00Z');
    const born = (date: string) => (userId: string) =>
      system.db.query('UPDATE users SET birth_date = $2 WHERE id = $1', [userId, date]);

    it.each([
      { code: 'ACCOUNT_BANNED', state: [banned] },
      { code: 'ACCOUNT_BANNED', state: [banned, excluded, timedOut, born('2010-01-01')] },
      { code: 'SELF_EXCLUDED', state: [excluded, timedOut, born('2010-01-01')] },
      { code: 'TIMED_OUT', state: [timedOut, born('2010-01-01')] },
      { code: 'UNDER_AGE', state: [born('2005-10-04')] },
      { code: 'UNDER_AGE', state: [born('2010-01-01')] },
      { code: null, state: [born('2005-10-03')] },
      { code: null, state: [(id: string) => restrict(id, 'time_out', THE_PAST, '2023-10-03T11:00:00Z')] },
      { code: null, state: [(id: string) => restrict(id, 'self_exclusion', '2023-10-05T00:00:00Z', null)] },
    ])('answers $code', async ({ code, state }) => {
      const player = await make.member(WEEK);
      await player.get('me'); // the session is known: it does not end with the account's closing
      for (const set of state) await set(player.userId);
      const game = await make.game({ startsAt: SUNDAY });
      const answer = await player.bet({
        marketId: game.total.id,
        outcome: 'over',
        stake: 50,
        acceptOdds: 'any',
      });
      expect([answer.status, answer.error?.code ?? null]).toEqual([code === null ? 201 : 403, code]);
    });
  });
});

describe('the ends of a week', () => {
  it.each([
    { week: 202340, hours: 168, title: 'an ordinary week' },
    { week: 202344, hours: 169, title: 'the week in which summer time ends' },
    { week: 202410, hours: 167, title: 'the week in which summer time begins' },
  ])('$title: kick-offs inside [start, end) count, others do not', async ({ week, hours }) => {
    const { startsAt, endsAt } = weekBounds(week);
    expect((endsAt.getTime() - startsAt.getTime()) / 3_600_000).toBe(hours);
    const [player] = (await make.players(1)) as [Client];
    if (system.now() < startsAt) {
      await system.moveTo(startsAt);
      await make.week(week);
    }
    await joinPool(system, week, [player]);
    const at = async (instant: number) => {
      const game = await make.game({ startsAt: new Date(instant).toISOString() });
      const body = { marketId: game.total.id, outcome: 'over', stake: 10, oddsId: game.total.odds['over'] };
      const answer = await player.bet(body);
      return answer.error?.code ?? answer.status;
    };
    expect(await at(startsAt.getTime() - 1)).toBe('GAME_NOT_IN_WEEK');
    expect(await at(startsAt.getTime())).toBe('GAME_STARTED');
    expect(await at(endsAt.getTime() - 1)).toBe(201);
    expect(await at(endsAt.getTime())).toBe('GAME_NOT_IN_WEEK');
    await system.moveTo(
      endsAt.getTime() - 60_000 > system.now().getTime() ? new Date(endsAt.getTime() - 60_000) : endsAt,
    );
    expect(await at(endsAt.getTime() - 1)).toBe(201);
  });

  it('takes no bet after the end, and answers a retry of one from before it with the first answer', async () => {
    const week = 202411;
    const { startsAt, endsAt } = weekBounds(week);
    await system.moveTo(startsAt);
    await make.week(week);
    const player = await make.member(week);
    const game = await make.game({ startsAt: new Date(endsAt.getTime() - 1).toISOString() });
    const body = { marketId: game.total.id, outcome: 'over', stake: 10, oddsId: game.total.odds['over'] };
    const key = randomUUID();
    const first = await player.bet(body, key);
    await system.moveTo(endsAt);
    expect((await player.bet(body)).error.code).toBe('NOT_IN_POOL');
    const again = await player.bet(body, key);
    expect([again.status, again.headers.get('idempotent-replayed'), again.body]).toEqual([
      201,
      'true',
      first.body,
    ]);
    expect((await player.bet({ ...body, stake: 11 }, key)).error.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('kept every credit', async () => {
    expect(await unbalanced(system)).toEqual([]);
  });
});
