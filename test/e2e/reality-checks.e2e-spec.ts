import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Socket } from 'socket.io-client';
import { createApi, createWorker } from '../../src/bootstrap.js';
import { PlaySessionsPort } from '../../src/modules/compliance/reality-checks/play-sessions.port.js';
import { RealityChecksService } from '../../src/modules/compliance/reality-checks/reality-checks.service.js';
import { SessionsService } from '../../src/modules/auth/sessions.service.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { MovableClock } from '../../src/platform/clock/movable-clock.js';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import { Builders, PASSWORD, type TestGame } from '../support/builders.js';
import { Client } from '../support/client.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { SignUps } from '../support/sign-ups.js';
import { listen } from '../support/listening.js';
import { eventually, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

const WEEK = 202340;
const AT = '2023-10-03T12:00:00Z';
const MINUTE_MS = 60_000;

interface Told {
  dueAt: string;
  everyMinutes: number;
  session: { id: string; minutes: number };
}

/** In Colorado, where the usual 60 minutes hold. */
describe('reality checks', () => {
  let system: System;
  let second: NestExpressApplication;
  let otherWorker: INestApplicationContext;
  let urls: string[];
  let accounts: SignUps;
  let make: Builders;
  let game: TestGame;
  const open: Socket[] = [];

  beforeAll(async () => {
    system = await startSystemWithRules({}, { at: AT });
    second = await createApi(system.config);
    await second.listen(0, '127.0.0.1');
    otherWorker = await createWorker(system.config);
    await otherWorker.init();
    urls = [system.url, `http://127.0.0.1:${(second.getHttpServer().address() as AddressInfo).port}`];
    accounts = new SignUps(system, 'check');
    make = new Builders(system);
    await make.week(WEEK, { group: false });
    game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });
  afterAll(async () => {
    await otherWorker.close();
    await second.close();
    await system.stop();
  });

  /** Every process's clock: a move is known to the others within moments, and a test does not wait for that. */
  async function pass(minutes: number): Promise<void> {
    const to = new Date(system.now().getTime() + minutes * MINUTE_MS);
    await system.moveTo(to);
    for (const context of [second, otherWorker]) {
      const clock = context.get(Clock);
      if (clock instanceof MovableClock) await clock.moveTo(to);
    }
  }

  const hears = async (client: Client) => await listen<Told>(urls, client, 'session:reality-check', open);

  async function signUp(): Promise<{ client: Client; email: string }> {
    const { client, email } = await accounts.open();
    await system.db.query(
      "INSERT INTO week_passes (user_id, week_id, source, created_at) VALUES ($1, $2, 'admin', $3)",
      [client.userId, WEEK, system.now()],
    );
    // The first request of a session tells where it is.
    expect((await client.get('compliance/reality-check')).status).toBe(200);
    return { client, email };
  }

  const sessionOf = async ({ userId }: Client): Promise<string> => {
    const { rows } = await system.db.query<{ id: string }>(
      'SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL ORDER BY id DESC LIMIT 1',
      [userId],
    );
    return rows[0]!.id;
  };
  const stake = async (client: Client) =>
    await client.bet({ marketId: game.total.id, outcome: 'over', stake: 10 });
  const refusal = async (client: Client) => (await stake(client)).error?.code ?? null;
  const acknowledge = async (client: Client) => await client.post('compliance/reality-check/acknowledge');
  const checks = async ({ userId }: Client) =>
    (
      await system.db.query<{ acknowledged_at: Date | null }>(
        'SELECT * FROM reality_checks WHERE user_id = $1 ORDER BY counts_from',
        [userId],
      )
    ).rows;

  it('are told once an hour, once each, to all sockets of the session and to no other', async () => {
    const { client, email } = await signUp();
    await pass(10);
    const { data } = await new Client(system.url).post('auth/login', { email, password: PASSWORD });
    const later = new Client(system.url, data.accessToken, client.userId);
    expect((await later.get('compliance/reality-check')).status).toBe(200);
    const [toFirst, toLater] = [await hears(client), await hears(later)];
    await pass(49);
    expect((await client.get('compliance/reality-check')).data).toMatchObject({
      due: false,
      everyMinutes: 60,
    });
    await pass(1.1);
    await eventually(async () => Promise.resolve(toFirst.every((told) => told.length > 0)));
    // However often the job is run, by whichever process, and however long nobody acknowledges.
    const id = (
      await system.db.query('SELECT session_id FROM reality_checks WHERE user_id = $1', [client.userId])
    ).rows[0].session_id as string;
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) =>
        (n % 2 ? otherWorker : system.worker!).get(RealityChecksService).tell(id),
      ),
    );
    await pass(5);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(toFirst.map((told) => told.length)).toEqual([1, 1]);
    expect(toFirst[0]![0]).toMatchObject({ everyMinutes: 60, session: { id, minutes: 60 } });
    expect(toLater).toEqual([[], []]);
    await pass(5); // the other session's hour
    await eventually(async () => Promise.resolve(toLater.every((told) => told.length > 0)));
    expect([...toFirst, ...toLater].map((told) => told.length)).toEqual([1, 1, 1, 1]);

    await acknowledge(client);
    await pass(61);
    await eventually(async () => Promise.resolve(toFirst.every((told) => told.length > 1)));
    expect(toFirst.map((told) => told.length)).toEqual([2, 2]);
    expect(toLater.map((told) => told.length)).toEqual([1, 1]); // has acknowledged nothing
    expect((await checks(client)).length).toBe(3);
  });

  it('keep anything from being staked or paid in, in every process, until one acknowledges', async () => {
    const { client } = await signUp();
    expect(await refusal(client)).toBe('NOT_IN_POOL');
    await pass(61);
    const elsewhere = new Client(urls[1]!, client.token, client.userId);
    for (const by of [client, elsewhere]) {
      expect(await refusal(by)).toBe('REALITY_CHECK_DUE');
      const deposit = await by.post(
        'wallet/deposits',
        { money: { amount: 500, currency: 'USD' } },
        { key: 'k' },
      );
      expect([deposit.status, deposit.error.code]).toEqual([403, 'REALITY_CHECK_DUE']);
      expect((await by.get('bets')).status).toBe(200);
      expect((await by.get('compliance/reality-check')).data.due).toBe(true);
    }
    const { cache } = system.app.get(RedisConnections);
    const key = `${system.config.REDIS_PREFIX}:session:${await sessionOf(client)}`;
    const stale = await cache.get(key);
    const { status, data } = await acknowledge(elsewhere);
    expect([status, data.due]).toEqual([200, false]);
    for (const by of [client, elsewhere]) expect(await refusal(by)).toBe('NOT_IN_POOL');
    // Who is refused because Redis has missed it is helped by saying so again.
    await cache.set(key, stale!, 'EX', 3600);
    expect((await acknowledge(client)).status).toBe(200);
    expect(await refusal(client)).toBe('NOT_IN_POOL');
  });

  it('are acknowledged once by 50 at once, and not before they are due', async () => {
    const { client } = await signUp();
    await pass(30);
    const early = await acknowledge(client);
    expect([early.status, early.data.due, await checks(client)]).toEqual([200, false, []]);
    expect(Date.parse(early.data.dueAt) - system.now().getTime()).toBeLessThanOrEqual(30 * MINUTE_MS);
    await pass(31);
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await acknowledge(client)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ data }) => data.dueAt)).size).toBe(1);
    const rows = await checks(client);
    expect(rows.map((row) => row.acknowledged_at !== null)).toEqual([true]);
    const { rows: deadlines } = await system.db.query(
      "SELECT due_at FROM deadlines WHERE kind = 'session.reality-check' AND subject = $1",
      [await sessionOf(client)],
    );
    expect(deadlines.map(({ due_at: at }) => at.toISOString())).toEqual([answers[0]!.data.dueAt]);
  });

  it('come more often to who wants them to, in all of their sessions, and never more seldom than the place says', async () => {
    const { client, email } = await signUp();
    const { data } = await new Client(system.url).post('auth/login', { email, password: PASSWORD });
    const other = new Client(system.url, data.accessToken, client.userId);
    await other.get('compliance/reality-check');
    const told = await hears(other);
    const put = async (minutes: number) =>
      await client.call('PUT', 'compliance/reality-check', { body: { minutes } });
    const refused = await put(61);
    expect([refused.status, refused.error.code, refused.error.details]).toEqual([
      422,
      'REALITY_CHECK_TOO_SELDOM',
      { field: 'minutes', maximum: 60 },
    ]);
    expect((await put(4)).error.code).toBe('VALIDATION_FAILED');
    expect((await put(15)).data).toMatchObject({ everyMinutes: 15, chosenMinutes: 15, maximumMinutes: 60 });
    await pass(16);
    await eventually(async () => Promise.resolve(told.every((of) => of.length === 1)));
    expect(await refusal(other)).toBe('REALITY_CHECK_DUE');
    // Choosing more is no way around the one that waits, and tells it no second time.
    expect((await put(10)).data).toMatchObject({ due: true, everyMinutes: 10 });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(told.map((of) => of.length)).toEqual([1, 1]);
    expect((await put(60)).data).toMatchObject({ due: false, everyMinutes: 60, chosenMinutes: 60 });
  });

  it('tell what was staked, won and paid since the session began', async () => {
    const [player] = (await make.players(1, { pass: WEEK + 1 })) as [Client];
    await new Wallets(system).deposit(player, 5000n);
    const { data } = await player.get('compliance/reality-check');
    expect(data.session.credits).toEqual({ bets: 0, staked: 0, won: 0, net: 0 });
    await system.db.query('UPDATE sessions SET checked_at = NULL WHERE user_id = $1', [player.userId]);
    // As a payment and a bet leave them behind; the week is not played here.
    await system.db.query(
      `INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, price_num, price_den, stake,
                         potential_payout, status, payout, settlement_id, placed_at, settled_at)
       SELECT nextval('bet_id_seq'), $2, gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'home',
              2, 1, b.stake, 2 * b.stake, b.status, b.payout, CASE WHEN b.payout IS NOT NULL THEN gen_random_uuid() END, b.placed,
              CASE WHEN b.payout IS NOT NULL THEN $3::timestamptz END
       FROM (VALUES (100::bigint, 'won', 200::bigint, $3::timestamptz), (30, 'lost', 0, $3), (7, 'placed', NULL, $3),
                    (50, 'won', 100, $3::timestamptz - interval '2 hours')) AS b (stake, status, payout, placed)`,
      [player.userId, WEEK, new Date(system.now().getTime() + 1000)],
    );
    await new Wallets(system).deposit(player, 700n, 'USD', 'prize');
    await new Wallets(system).deposit(player, 50n, 'EUR', 'prize');
    await system.db.query(
      `INSERT INTO payments (id, user_id, purpose, amount, currency, provider, status, paid_amount, paid_currency, paid_to_kind,
                             paid_to_owner, confirmed_at, created_at)
       SELECT gen_random_uuid(), $1::uuid, p.purpose, p.amount, 'USD', 'sandbox', 'succeeded', p.amount, 'USD', 'fees', 'house',
              p.at, $2::timestamptz - interval '3 hours'
       FROM (VALUES ('week_pass', 1000::bigint, $2::timestamptz), ('buy_back', 500, $2), ('deposit', 5000, $2),
                    ('deposit', 9000, $2::timestamptz - interval '2 hours')) AS p (purpose, amount, at)`,
      [player.userId, new Date(system.now().getTime() + 1000)],
    );
    const later = await player.get('compliance/reality-check');
    expect(later.data.session.money).toEqual([
      { currency: 'EUR', staked: 0, won: 50, net: 50, paidIn: 0 },
      { currency: 'USD', staked: 1500, won: 700, net: -800, paidIn: 5000 },
    ]);
    expect(later.data.session.credits).toEqual({ bets: 3, staked: 137, won: 300, net: 163 });
  });

  it('of an ended session are told to nobody', async () => {
    const { client } = await signUp();
    const id = await sessionOf(client);
    await client.call('POST', 'auth/logout');
    await pass(61);
    await system.worker!.get(RealityChecksService).tell(id);
    expect(await checks(client)).toEqual([]);
  });

  describe('and what requests know of their session', () => {
    const known = async (client: Client) => {
      const session = await system.app.get(SessionsService).find(await sessionOf(client), false);
      if (session === null) throw new Error('there is no session');
      const { birthDate, ageVerified, checkMinutes, endsIdle, checkedAt } = session;
      return { birthDate, ageVerified, checkMinutes, endsIdle, checkedAt };
    };
    const key = async (client: Client) => `${system.config.REDIS_PREFIX}:session:${await sessionOf(client)}`;

    it('is the same from Redis as from Postgres', async () => {
      const { client } = await signUp();
      const cached = await known(client);
      const { rows } = await system.db.query<{ at: Date }>(
        'SELECT created_at AS at FROM sessions WHERE user_id = $1',
        [client.userId],
      );
      expect(cached).toEqual({
        birthDate: '1990-12-10',
        ageVerified: false,
        checkMinutes: 60,
        endsIdle: false,
        checkedAt: rows[0]!.at,
      });
      await system.app.get(RedisConnections).cache.del(await key(client));
      expect(await known(client)).toEqual(cached);
      expect(await known(client)).toEqual(cached);
    });

    it('is told at once when the age is proved or corrected', async () => {
      const { client } = await signUp();
      await known(client);
      await system.db.query(
        "UPDATE users SET age_verified_at = now(), birth_date = '2005-02-28' WHERE id = $1",
        [client.userId],
      );
      expect(await known(client)).toMatchObject({ birthDate: '1990-12-10', ageVerified: false });
      await second.get(PlaySessionsPort).get().refreshUser(client.userId);
      expect(await known(client)).toMatchObject({ birthDate: '2005-02-28', ageVerified: true });
    });

    it('is read from Postgres when an older release has kept it, and kept anew', async () => {
      const { client } = await signUp();
      const before = await known(client);
      const { cache } = system.app.get(RedisConnections);
      const old = (await cache.get(await key(client)))!.split('|').slice(0, 5).join('|');
      for (const text of [old, `${old}|1990-12-10`, 'nonsense', '']) {
        await cache.set(await key(client), text, 'EX', 3600);
        expect(await known(client)).toEqual(before);
        expect((await client.get('compliance/reality-check')).status).toBe(200);
        expect((await cache.get(await key(client)))!.split('|')).toHaveLength(10);
      }
    });

    it('has the strictest of the places where it was used, whatever comes after', async () => {
      const { client } = await signUp();
      const id = await sessionOf(client);
      const checksOf = system.app.get(RealityChecksService);
      const subject = async () => ({
        ...(await system.app.get(SessionsService).find(id, false))!,
        sessionId: id,
      });
      const usual = { realityCheckMinutes: 60, onIdle: 'reauthenticate' } as never;
      expect(checksOf.follow(await subject(), usual)).toBeNull();
      await checksOf.follow(await subject(), { realityCheckMinutes: 20, onIdle: 'end' } as never);
      expect(await known(client)).toMatchObject({ checkMinutes: 20, endsIdle: true });
      expect(checksOf.follow(await subject(), usual)).toBeNull();
      const told = await hears(client);
      await pass(21);
      await eventually(async () => Promise.resolve(told.every((of) => of.length === 1)));
    });
  });
});

/** A place whose sessions end when nobody uses them, where the operator's rules would let them go on. */
describe('a session that was used where idle ones end', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystemWithRules(
      {
        auth: {
          accessTokenSeconds: 86_400,
          refreshTokenSeconds: 86_400,
          idle: { seconds: 1800, policy: 'reauthenticate' },
        },
      },
      { at: AT, worker: false },
    );
  });
  afterAll(async () => system.stop());

  it('ends when it is idle: its requests, its refresh token and its sockets', async () => {
    const accounts = new SignUps(system, 'idle_place');
    const [there, here] = [await accounts.open(), await accounts.open()];
    const id = (await system.db.query('SELECT id FROM sessions WHERE user_id = $1', [there.client.userId]))
      .rows[0].id;
    const sessions = system.app.get(SessionsService);
    const subject = { ...(await sessions.find(id, false))!, sessionId: id as string };
    await system.app
      .get(RealityChecksService)
      .follow(subject, { realityCheckMinutes: 60, onIdle: 'end' } as never);
    expect((await there.client.get('auth/idle-timeout')).data.policy).toBe('end');
    expect((await here.client.get('auth/idle-timeout')).data.policy).toBe('reauthenticate');
    await system.moveTo(new Date(system.now().getTime() + 1900 * 1000));
    const anyone = new Client(system.url);
    expect((await anyone.post('auth/refresh', { refreshToken: here.refreshToken })).status).toBe(200);
    expect((await anyone.post('auth/refresh', { refreshToken: there.refreshToken })).error.code).toBe(
      'REFRESH_TOKEN_INVALID',
    );
    expect((await there.client.get('auth/sessions')).error.code).toBe('SESSION_ENDED');
    expect((await here.client.get('auth/sessions')).status).toBe(200);
  });
});
