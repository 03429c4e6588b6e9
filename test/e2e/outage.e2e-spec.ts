import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** How long Postgres and Redis stay away: OUTAGE_SECONDS=20 for the whole of it. */
const OUTAGE_MS = Number(process.env['OUTAGE_SECONDS'] ?? 4) * 1000;
/** No request may keep its caller waiting for longer. */
const PATIENCE_MS = 5000;
const STATEMENT_TIMEOUT_MS = 1000;
const WEEK = 202340;

endProcessesAfterAll();

describe('an API and a worker', () => {
  let system: System;
  let postgres: TcpProxy;
  let redis: TcpProxy;
  let env: Record<string, string>;
  let api: TestProcess;
  let worker: TestProcess;
  let make: Builders;
  let admin: Client;
  let players: Client[];
  let started: TestGame[];
  let game: TestGame;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    [postgres, redis] = [
      await TcpProxy.to(system.config.DATABASE_URL),
      await TcpProxy.to(system.config.REDIS_URL),
    ];
    env = {
      ...system.env,
      DATABASE_URL: postgres.url,
      DATABASE_STATEMENT_TIMEOUT_MS: String(STATEMENT_TIMEOUT_MS),
      REDIS_URL: redis.url,
      RATE_LIMIT_FACTOR: '1',
    };
    const processes = [TestProcess.start('api', env), TestProcess.start('worker', env)];
    make = new Builders(system);
    await make.week(WEEK, { group: false });
    players = await make.players(30, { pass: WEEK });
    await make.week(WEEK);
    admin = await make.admin();
    game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    started = [];
    for (let n = 0; n < 3; n += 1) started.push(await make.game({ startsAt: '2023-10-03T12:05:00Z' }));
    for (const each of started) expect((await bet(players[0]!, each)).status).toBe(201);
    await system.moveTo('2023-10-03T12:06:00Z');
    [api, worker] = (await Promise.all(processes)) as [TestProcess, TestProcess];
    await Promise.all([api.ready(), worker.ready()]);
  });
  afterAll(async () => {
    await Promise.all([api, worker].map((each) => each.kill('SIGKILL')));
    await system.stop();
    postgres.close();
    redis.close();
  });

  /** The same caller at another process; the System's own API is one that no outage reaches. */
  function at(process: TestProcess, client: Client): Client {
    return new Client(process.url, client.token, client.userId);
  }

  async function bet(client: Client, on: TestGame, key: string = randomUUID()): Promise<Answer> {
    const { id, odds } = on.spread;
    return await client.bet({ marketId: id, outcome: 'home', stake: 1, oddsId: odds['home'] }, key);
  }

  async function result(on: TestGame): Promise<Answer> {
    return await at(api, admin).post(`admin/games/${on.id}/result`, {
      status: 'final',
      homeScore: 24,
      awayScore: 20,
    });
  }

  async function isSettled(on: TestGame): Promise<boolean> {
    const { rows } = await system.db.query('SELECT status FROM settlements WHERE game_id = $1', [on.id]);
    return rows[0]?.status === 'done';
  }

  async function timed<T>(work: Promise<T>): Promise<{ answer: T; ms: number }> {
    const began = performance.now();
    const answer = await work;
    return { answer, ms: performance.now() - began };
  }

  async function betsWithKeys(keys: string[]): Promise<number> {
    const { rows } = await system.db.query(
      'SELECT count(*)::int AS n FROM idempotency_keys WHERE key = ANY ($1)',
      [keys],
    );
    return rows[0].n as number;
  }

  it(
    'answer 503 while Postgres is gone, and serve when it returns',
    async () => {
      const keys: string[] = [];
      expect((await bet(at(api, players[1]!), game)).status).toBe(201);
      postgres.cut();
      const until = performance.now() + OUTAGE_MS;
      await eventually(
        async () => (await api.readiness()) === 503 && (await worker.readiness()) === 503,
        PATIENCE_MS,
      );
      await sleep(1000); // the slate is shown for a second longer
      for (let round = 0; performance.now() < until || round === 0; round += 1) {
        const caller = at(api, players[2 + (round % 10)]!);
        const key = randomUUID();
        keys.push(key);
        const calls = [
          bet(caller, game, key),
          caller.get('me'),
          caller.get('bets'),
          caller.get('games?limit=1'),
        ];
        if (round === 0)
          calls.push(
            caller.post('auth/login', { email: 'a@example.com', password: 'correct horse battery' }),
          );
        for (const { answer, ms } of await Promise.all(calls.map(timed))) {
          expect([answer.status, answer.error.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
          expect(ms).toBeLessThan(PATIENCE_MS);
        }
        expect([await api.readiness(), await worker.readiness()]).toEqual([503, 503]);
        expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
        await sleep(300);
      }
      expect(await betsWithKeys(keys)).toBe(0);
      await postgres.restore();
      await eventually(
        async () => (await api.readiness()) === 200 && (await worker.readiness()) === 200,
        PATIENCE_MS,
      );
      for (const [n, key] of keys.entries())
        expect((await bet(at(api, players[2 + (n % 10)]!), game, key)).status).toBe(201);
      expect(await betsWithKeys(keys)).toBe(keys.length);
      expect((await result(started[0]!)).status).toBe(200);
      await eventually(async () => isSettled(started[0]!));
      expect([api.alive, worker.alive]).toEqual([true, true]);
    },
    OUTAGE_MS + 30_000,
  );

  it('answer 503 in time when Postgres falls silent, and take no connection for good that never answered', async () => {
    const keys = Array.from({ length: 15 }, () => randomUUID());
    await Promise.all(players.slice(0, 15).map((player) => at(api, player).get('me'))); // connections to be silent
    postgres.mute();
    const calls = keys.map(async (key, n) => timed(bet(at(api, players[n]!), game, key)));
    const ready = await timed(api.readiness());
    expect(ready.answer).toBe(503);
    expect(ready.ms).toBeLessThan(3000);
    const logout = timed(at(api, players[20]!).post('auth/logout'));
    for (const { answer, ms } of await Promise.all([...calls, logout])) {
      expect([answer.status, answer.error.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
      expect(ms).toBeLessThan(2 * PATIENCE_MS);
    }
    await postgres.restore();
    await eventually(async () => (await api.readiness()) === 200, PATIENCE_MS);
    for (const [n, key] of keys.entries())
      expect((await bet(at(api, players[n]!), game, key)).status).toBe(201);
    expect(await betsWithKeys(keys)).toBe(keys.length);
  });

  it(
    'go on without Redis, lose nothing meanwhile, and keep an ended session ended',
    async () => {
      const [leaver, stayer] = [at(api, players[12]!), at(api, players[13]!)];
      expect((await leaver.get('me')).status).toBe(200);
      expect((await players[12]!.get('me')).status).toBe(200); // both processes know the session from Redis now

      redis.cut();
      const until = performance.now() + OUTAGE_MS;
      expect([await api.readiness(), await worker.readiness()]).toEqual([200, 200]);
      const keys: string[] = [];
      for (let round = 0; performance.now() < until || round === 0; round += 1) {
        const key = randomUUID();
        const { answer, ms } = await timed(bet(at(api, players[14 + (round % 5)]!), game, key));
        expect([201, 503]).toContain(answer.status);
        expect(ms).toBeLessThan(PATIENCE_MS);
        if (answer.status === 201) keys.push(key);
        await sleep(150);
      }
      expect(keys.length).toBeGreaterThan(0);
      expect(await betsWithKeys(keys)).toBe(keys.length);

      expect((await result(started[1]!)).status).toBe(200);
      const queues = await timed(at(api, admin).get('admin/queues'));
      expect([queues.answer.status, queues.answer.error.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
      expect(queues.ms).toBeLessThan(PATIENCE_MS);

      expect((await leaver.post('auth/logout')).status).toBe(200);
      expect((await leaver.get('me')).error.code).toBe('SESSION_ENDED');
      expect((await stayer.get('me')).status).toBe(200);

      const guesses: number[] = [];
      const guess = { email: 'nobody@example.com', password: 'correct horse battery' };
      for (let n = 0; n < 12; n += 1)
        guesses.push((await new Client(api.url).post('auth/login', guess)).status);
      expect(guesses).toContain(429);

      expect(await isSettled(started[1]!)).toBe(false);
      await redis.restore();
      await eventually(async () => {
        const { status, error } = await leaver.get('me');
        expect([status, error?.code]).toEqual([401, 'SESSION_ENDED']);
        return isSettled(started[1]!);
      });
      // The process that never lost Redis hears of it as soon as the other has Redis back.
      await eventually(async () => (await players[12]!.get('me')).status === 401, PATIENCE_MS);
      expect((await at(api, admin).get('admin/queues')).status).toBe(200);
    },
    OUTAGE_MS + 30_000,
  );

  it('start without Redis, and settle when it is there', async () => {
    redis.cut();
    const processes = await Promise.all([TestProcess.start('api', env), TestProcess.start('worker', env)]);
    try {
      const [laterApi, laterWorker] = processes;
      await worker.kill('SIGKILL');
      await Promise.all([laterApi.ready(), laterWorker.ready()]);
      expect((await bet(at(laterApi, players[25]!), game)).status).toBe(201);
      expect((await result(started[2]!)).status).toBe(200);
      await redis.restore();
      await eventually(async () => isSettled(started[2]!));
    } finally {
      await Promise.all(processes.map((each) => each.kill('SIGKILL')));
    }
  });

  it('notice a Redis that has fallen silent, and stop waiting for it', async () => {
    await eventually(async () => {
      const health = (await (await fetch(`${api.url}/health/ready`)).json()) as {
        info: { redis: { connection: string } };
      };
      return health.info.redis.connection === 'ready';
    });
    const caller = at(api, players[26]!);
    expect((await caller.get('me')).status).toBe(200);
    redis.mute();
    const first = await timed(bet(caller, game));
    expect(first.answer.status).toBe(201);
    expect(first.ms).toBeLessThan(PATIENCE_MS);
    await eventually(async () => (await timed(caller.get('me'))).ms < 200, PATIENCE_MS);
    await redis.restore();
    expect(await unbalanced(system)).toEqual([]);
  });
});
