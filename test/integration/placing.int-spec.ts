import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { v7 } from 'uuid';
import { ComplianceService } from '../../src/modules/compliance/compliance.service.js';
import { BetHistoryRepository } from '../../src/modules/bets/bet-history.repository.js';
import { BetsRepository } from '../../src/modules/bets/bets.repository.js';
import { weekBounds } from '../../src/modules/pools/domain/calendar.js';
import type { Database } from '../../src/platform/database/database.js';
import { Builders, type TestGame, type TestMarket, unbalanced } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { joinPool } from '../support/members.js';
import { startSystemWithRules } from '../support/rules-folder.js';
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

async function move(market: TestMarket, outcome: string, american: number): Promise<string> {
  const id = v7();
  const [num, den] = american > 0 ? [100 + american, 100] : [100 - american, -american];
  await system.db.query(
    `WITH o AS (INSERT INTO odds (id, market_id, outcome, american, price_num, price_den)
                VALUES ($1, $2, $3, $4, $5, $6))
     UPDATE market_prices SET odds_id = $1, american = $4, price_num = $5, price_den = $6
     WHERE market_id = $2 AND outcome = $3`,
    [id, market.id, outcome, american, num, den],
  );
  return id;
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
      apply: ({ game }) => move(game.spread, 'home', -115),
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
      const [player] = (await make.players(1)) as [Client];
      await joinPool(system, WEEK, [player]);
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

describe('a price that has moved', () => {
  let player: Client;

  beforeAll(async () => {
    [player] = (await make.players(1)) as [Client];
    await joinPool(system, WEEK, [player]);
  });

  const stakeOn = (market: TestMarket, oddsId: string | undefined, acceptOdds?: string) =>
    player.bet({
      marketId: market.id,
      outcome: 'home',
      stake: 20,
      ...(oddsId === undefined ? {} : { oddsId }),
      ...(acceptOdds === undefined ? {} : { acceptOdds }),
    });

  it.each([
    { acceptOdds: undefined, to: 105, code: 'ODDS_CHANGED' },
    { acceptOdds: 'exact', to: 105, code: 'ODDS_CHANGED' },
    { acceptOdds: 'exact', to: -120, code: 'ODDS_CHANGED' },
    { acceptOdds: 'better', to: 105, code: null },
    { acceptOdds: 'better', to: -109, code: null },
    { acceptOdds: 'better', to: -111, code: 'ODDS_CHANGED' },
    { acceptOdds: 'any', to: 105, code: null },
    { acceptOdds: 'any', to: -400, code: null },
  ])('with acceptOdds $acceptOdds from -110 to $to: $code', async ({ acceptOdds, to, code }) => {
    const { moneyline } = await make.game({ startsAt: SUNDAY });
    const shown = moneyline.odds['home'];
    const current = await move(moneyline, 'home', to);
    const answer = await stakeOn(moneyline, shown, acceptOdds);
    expect(answer.error?.code ?? null).toBe(code);
    const told = code === null ? answer.data.odds : answer.error.details['current'];
    expect(told).toMatchObject({ oddsId: current, american: to });
  });

  it('keeps the price that a bet took for ever', async () => {
    const { moneyline } = await make.game({ startsAt: SUNDAY, american: 120 });
    const placed = await stakeOn(moneyline, moneyline.odds['home']);
    await move(moneyline, 'home', -300);
    const bet = await player.get(`bets/${placed.data.betId}`);
    expect(bet.data).toMatchObject({
      odds: { oddsId: moneyline.odds['home'], american: 120, decimal: '2.2000' },
      potentialPayout: 44,
    });
  });

  it('pays from the exact fraction: 50 at +120 is 110, 50 at -140 is 85', async () => {
    for (const [american, payout] of [
      [120, 110],
      [-140, 85],
    ] as const) {
      const { moneyline } = await make.game({ startsAt: SUNDAY, american });
      const body = { marketId: moneyline.id, outcome: 'away', stake: 50, oddsId: moneyline.odds['away'] };
      expect((await player.bet(body)).data.potentialPayout).toBe(payout);
    }
  });

  it('never crosses lines: a moved line is a new market, with prices of its own', async () => {
    const game = await make.game({ startsAt: SUNDAY, spread: '-3.00' });
    const id = v7();
    await system.db.query("UPDATE markets SET status = 'suspended' WHERE id = $1", [game.spread.id]);
    await system.db.query(
      "INSERT INTO markets (id, game_id, kind, line) VALUES ($1, $2, 'spread', '-3.50')",
      [id, game.id],
    );
    const odds = v7();
    await system.db.query(
      `WITH o AS (INSERT INTO odds (id, market_id, outcome, american, price_num, price_den) VALUES ($1, $2, 'home', 100, 2, 1))
       INSERT INTO market_prices (market_id, outcome, odds_id, american, price_num, price_den) VALUES ($2, 'home', $1, 100, 2, 1)`,
      [odds, id],
    );
    const old = game.spread.odds['home'];
    expect((await stakeOn(game.spread, old, 'any')).error.code).toBe('MARKET_NOT_OPEN');
    for (const acceptOdds of ['exact', 'better', 'any'])
      expect((await stakeOn({ id, odds: {} }, old, acceptOdds)).error.code).toBe('ODDS_UNKNOWN');
    expect((await stakeOn({ id, odds: {} }, odds)).status).toBe(201);
  });

  it('asks for the price that was shown, unless any will do', async () => {
    const { moneyline } = await make.game({ startsAt: SUNDAY });
    for (const acceptOdds of [undefined, 'exact', 'better'])
      expect((await stakeOn(moneyline, undefined, acceptOdds)).error.code).toBe('ODDS_UNKNOWN');
    expect((await stakeOn(moneyline, undefined, 'any')).status).toBe(201);
  });
});

describe("a player's bets", () => {
  let player: Client;
  let other: Client;
  let game: TestGame;

  beforeAll(async () => {
    [player, other] = (await make.players(2)) as [Client, Client];
    await joinPool(system, WEEK, [player]);
    await joinPool(system, WEEK, [other]);
    game = await make.game({ startsAt: SUNDAY });
  });

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
    const [player] = (await make.players(1)) as [Client];
    await joinPool(system, week, [player]);
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
