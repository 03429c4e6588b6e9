import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { holding, jobLocks, leftToDo, lockWaits, workerStuckAt } from '../support/crash.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { eventually, startSystem, type System } from '../support/system.js';

const WEEK = 202340;
const CONNECTIONS = 16;
const GRACE_MS = 8000;
/** Without anything that takes long, the process ends much sooner than its grace. */
const PROMPT_MS = 4000;

interface Sent {
  key: string;
  status: number | null;
  /** The code of the failed connection. */
  failure: string | null;
  lastOfConnection: boolean;
}

endProcessesAfterAll();

describe('a process that is told to stop', () => {
  let system: System;
  let env: Record<string, string>;
  let players: Client[];
  let game: TestGame;
  let started: TestGame[];
  let running: TestProcess | undefined;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    env = { ...system.env, SHUTDOWN_GRACE_MS: String(GRACE_MS) };
    const make = new Builders(system);
    await make.week(WEEK, { group: false });
    players = await make.players(CONNECTIONS, { pass: WEEK });
    await make.week(WEEK);
    game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    started = [];
    for (let n = 0; n < 2; n += 1) {
      const each = await make.game({ startsAt: '2023-10-03T12:01:00Z' });
      for (const player of players) expect((await player.bet(betOn(each))).status).toBe(201);
      started.push(each);
    }
    await system.moveTo('2023-10-03T12:02:00Z');
  });
  afterEach(async () => {
    await running?.kill('SIGKILL');
  });
  afterAll(async () => system.stop());

  function betOn({ spread }: TestGame): object {
    return { marketId: spread.id, outcome: 'home', stake: 1, oddsId: spread.odds['home'] };
  }

  /** One bet over the agent's connection: what became of it. */
  async function send(api: TestProcess, agent: Agent, player: Client): Promise<Sent> {
    const key = randomUUID();
    const body = JSON.stringify(betOn(game));
    try {
      const call = request(`${api.url}/api/v1/bets`, {
        method: 'POST',
        agent,
        headers: {
          Authorization: `Bearer ${player.token}`,
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
          'Idempotency-Key': key,
        },
      });
      call.end(body);
      const [answer] = (await once(call, 'response')) as [IncomingMessage];
      let text = '';
      for await (const part of answer.setEncoding('utf8')) text += part as string;
      expect(JSON.parse(text)).toMatchObject({ success: true, data: { status: 'placed' } });
      return {
        key,
        status: answer.statusCode ?? 0,
        failure: null,
        lastOfConnection: answer.headers.connection === 'close',
      };
    } catch (error) {
      return {
        key,
        status: null,
        failure: (error as NodeJS.ErrnoException).code ?? String(error),
        lastOfConnection: false,
      };
    }
  }

  async function placed(keys: string[]): Promise<number> {
    const { rows } = await system.db.query(
      `SELECT count(*)::int AS n FROM bets b JOIN idempotency_keys k ON k.response ->> 'betId' = b.id::text
       WHERE k.key = ANY ($1)`,
      [keys],
    );
    return rows[0].n as number;
  }

  async function timedEnd(
    process: TestProcess,
    signal: NodeJS.Signals,
  ): Promise<{ code: number | null; ms: number }> {
    const began = performance.now();
    const { code } = await process.kill(signal);
    return { code, ms: performance.now() - began };
  }

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s under load, answers every bet that it placed',
    async (signal) => {
      const api = (running = await (await TestProcess.start('api', env)).ready());
      const sent: Sent[] = [];
      const loops = players.map(async (player) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        for (let last: Sent | undefined; last?.failure !== 'ECONNREFUSED'; sent.push(last))
          last = await send(api, agent, player);
        agent.destroy();
      });
      const unused = connect(Number(new URL(api.url).port), '127.0.0.1');
      unused.on('error', () => undefined);
      await once(unused, 'connect');
      await eventually(async () => sent.length > 4 * CONNECTIONS);
      const ending = timedEnd(api, signal);
      const readiness = (async () => {
        await sleep(100);
        return await api.readiness();
      })();
      await Promise.all(loops);
      const end = await ending;

      expect(end.code).toBe(0);
      expect(end.ms).toBeLessThan(PROMPT_MS);
      expect([0, 503]).toContain(await readiness);
      const answered = sent.filter(({ status }) => status === 201);
      const failed = sent.filter(({ status }) => status !== 201);
      expect(new Set(failed.map(({ failure }) => failure))).toEqual(
        new Set([
          'ECONNREFUSED',
          ...failed.map(({ failure }) => failure).filter((code) => code === 'ECONNRESET' || code === 'EPIPE'),
        ]),
      );
      expect(await placed(answered.map(({ key }) => key))).toBe(answered.length);
      expect(await placed(failed.map(({ key }) => key))).toBe(0);
      expect(answered.filter(({ lastOfConnection }) => lastOfConnection).length).toBeGreaterThan(0);
      expect(await unbalanced(system)).toEqual([]);
    },
  );

  it('waits for the request that takes long, and not for connections that ask nothing', async () => {
    const api = (running = await (await TestProcess.start('api', env)).ready());
    const [slow, idle] = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })];
    expect((await send(api, idle, players[0]!)).status).toBe(201);
    const release = await holding(system, 'SELECT FROM pool_members WHERE user_id = $1 FOR UPDATE', [
      players[1]!.userId,
    ]);
    const waiting = send(api, slow, players[1]!);
    await eventually(async () => (await lockWaits(system, 'place_bets')) === 1);
    const ending = timedEnd(api, 'SIGTERM');
    await sleep(600);
    expect(api.alive).toBe(true);
    expect((await send(api, idle, players[0]!)).failure).toBe('ECONNREFUSED');
    await release();
    expect(await waiting).toMatchObject({ status: 201, lastOfConnection: true });
    const end = await ending;
    expect(end.code).toBe(0);
    expect(end.ms).toBeLessThan(600 + PROMPT_MS);
    idle.destroy();
    slow.destroy();
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('on %s, a worker finishes the job in hand', async (signal) => {
    const graded = started.shift()!;
    const release = await holding(system, 'SELECT FROM pools FOR UPDATE');
    const worker = (running = await (await TestProcess.start('worker', env)).ready());
    const result = { status: 'final', homeScore: 24, awayScore: 20 } as const;
    await system.app.get(ResultsService).report(null, graded.id, result);
    await workerStuckAt(system, '%settlement_grade_chunk%', 'lock');
    const ending = timedEnd(worker, signal);
    await sleep(400);
    expect(await worker.readiness()).toBe(0);
    expect(worker.alive).toBe(true);
    await release();
    const end = await ending;
    expect(end.code).toBe(0);
    expect(end.ms).toBeLessThan(400 + PROMPT_MS);
    const { rows } = await system.db.query('SELECT status FROM settlements WHERE game_id = $1', [graded.id]);
    expect(rows).toEqual([{ status: 'done' }]);
    expect((await leftToDo(system)).settlements).toBe(0);
    expect(await jobLocks(system)).toEqual([]);
    expect(worker.log).not.toMatch(/"level":(50|60)/);
    expect(await unbalanced(system)).toEqual([]);
  });

  it('cuts off at the end of its grace what does not end', async () => {
    const api = (running = await (
      await TestProcess.start('api', { ...env, SHUTDOWN_GRACE_MS: '500' })
    ).ready());
    const release = await holding(system, 'SELECT FROM pool_members WHERE user_id = $1 FOR UPDATE', [
      players[2]!.userId,
    ]);
    const agent = new Agent();
    const waiting = send(api, agent, players[2]!);
    await sleep(200);
    const end = await timedEnd(api, 'SIGTERM');
    await release();
    expect(end.code).toBe(1);
    expect(end.ms).toBeLessThan(1500);
    expect((await waiting).failure).toBe('ECONNRESET');
  });
});
