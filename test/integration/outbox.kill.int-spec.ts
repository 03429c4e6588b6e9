import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ResultsService } from '../../src/modules/sports/results.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { DeadLettersService } from '../../src/platform/jobs/dead-letters.service.js';
import { DeadlinesService } from '../../src/platform/jobs/deadlines.service.js';
import { OutboxService } from '../../src/platform/outbox/outbox.service.js';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import { Builders, type TestGame, unbalanced } from '../support/builders.js';
import { configDir } from '../support/config-dir.js';
import {
  betOnEverything,
  expireJobLocks,
  holding,
  leftToDo,
  untilNothingIsLeft,
  workerStuckAt,
} from '../support/crash.js';
import { DUE_KIND, EFFECTS_QUEUE, EFFECTS_TABLE, happened } from '../support/effects.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const WEEK = 202340;
const ROUNDS = 6;
const EVENTS = 50;
const DEADLINES = 10;
const GAMES = 2;
/** Each test starts processes, which on a busy machine takes several seconds each; what it waits for has limits of its own. */
const LIMIT_MS = 180_000;

endProcessesAfterAll();

describe('a worker that is killed', () => {
  const config = configDir({ pools: { maxSize: 8 }, settlement: { chunkBets: 30 } });
  let system: System;
  let proxy: TcpProxy;
  let games: TestGame[];
  let worker: TestProcess | undefined;
  const started: TestProcess[] = [];
  let published = 0;
  let deadlines = 0;
  let reported = 0;
  let betsPerGame = 0;

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { CONFIG_DIR: config.path },
    });
    proxy = await TcpProxy.to(system.config.REDIS_URL);
    const make = new Builders(system);
    await make.week(WEEK, { group: false });
    const players = await make.players(24, { pass: WEEK });
    await make.week(WEEK);
    games = [];
    for (let n = 0; n <= ROUNDS * GAMES; n += 1)
      games.push(await make.game({ startsAt: '2023-10-05T17:00:00Z' }));
    for (const game of games) betsPerGame = await betOnEverything(system, players, WEEK, game);
    await system.moveTo('2023-10-06T12:00:00Z');
    await system.db.query(EFFECTS_TABLE);
  });
  afterEach(async () => {
    for (const process of started.splice(0)) await process.kill('SIGKILL');
  });
  afterAll(async () => {
    await system.stop();
    proxy.close();
    config.remove();
  });

  async function start(env: Record<string, string> = system.env): Promise<TestProcess> {
    const process = await TestProcess.start('effects', env);
    started.push(process);
    return process;
  }

  async function publish(count: number): Promise<void> {
    const [unitOfWork, outbox] = [system.app.get(UnitOfWork), system.app.get(OutboxService)];
    for (let left = count; left > 0; left -= 5)
      await unitOfWork.run(async (manager) => {
        for (let n = 0; n < 5; n += 1)
          await outbox.publish(manager, happened, { subject: `event ${(published += 1)}` });
      });
  }

  async function setDeadlines(count: number): Promise<void> {
    const now = system.now().getTime();
    const due = Array.from({ length: count }, (_, n) => ({
      subject: `deadline ${(deadlines += 1)}`,
      dueAt: new Date(now + n * 100),
    }));
    await system.app
      .get(UnitOfWork)
      .run((manager) => system.app.get(DeadlinesService).set(manager, DUE_KIND, ...due));
  }

  async function finish(game: TestGame): Promise<void> {
    reported += 1;
    await system.app
      .get(ResultsService)
      .report(null, game.id, { status: 'final', homeScore: 24, awayScore: 20 });
  }

  /** A worker that is left alone does what is left, each thing once. */
  async function heirFinishes(): Promise<void> {
    await worker?.kill('SIGKILL');
    await expireJobLocks(system);
    const heir = await (await start()).ready();
    worker = heir;
    const expected = published + deadlines;
    await untilNothingIsLeft(async () => {
      const { rows } = await system.db.query(
        `SELECT (SELECT count(*)::int FROM test_effects) AS effects,
                (SELECT count(*)::int FROM settlements WHERE status = 'done') AS done`,
      );
      const { events, settlements } = await leftToDo(system);
      // A result whose job a dead worker holds has no settlement yet that could be seen to be open.
      const [{ effects, done }] = rows as [{ effects: number; done: number }];
      return { effects: Math.max(0, expected - effects), events, settlements, unsettled: reported - done };
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${heir.tail()}`);
    });
    const { rows } = await system.db.query(
      `SELECT count(*)::int AS effects, count(DISTINCT (topic, subject))::int AS subjects,
              count(DISTINCT event_id)::int AS events,
              (SELECT count(*)::int FROM processed_events WHERE consumer = 'test-effects') AS processed
       FROM test_effects`,
    );
    expect(rows).toEqual([{ effects: expected, subjects: expected, events: expected, processed: expected }]);
    expect(await unbalanced(system)).toEqual([]);
    const figures = await system.app.get(DeadLettersService).figures();
    expect(figures.filter(({ failed }) => failed > 0)).toEqual([]);
    const { queue } = system.app.get(RedisConnections);
    const prefix = `{${system.config.REDIS_PREFIX}:${EFFECTS_QUEUE}}:${EFFECTS_QUEUE}`;
    expect(await queue.zcard(`${prefix}:failed`)).toBe(0);
  }

  it(
    'at random moments, again and again, loses no event and repeats no effect',
    async () => {
      let next = start();
      for (let round = 0; round < ROUNDS; round += 1) {
        worker = await (await next).ready();
        next = start();
        await setDeadlines(DEADLINES);
        const work = [publish(EVENTS), ...games.slice(round * GAMES, (round + 1) * GAMES).map(finish)];
        await sleep(Math.random() * 400);
        await worker.kill('SIGKILL');
        await Promise.all(work);
      }
      await (await next).kill('SIGKILL');
      await heirFinishes();
      const { rows } = await system.db.query(
        `SELECT count(DISTINCT game_id)::int AS games, count(*)::int AS settlements,
              (SELECT count(*)::int FROM bets b JOIN settlements s USING (game_id) WHERE b.status = 'placed') AS open
       FROM settlements`,
      );
      expect(rows).toEqual([{ games: reported, settlements: reported, open: 0 }]);
    },
    LIMIT_MS,
  );

  it(
    'while its relay holds a batch that no queue has yet, leaves the batch to the next',
    async () => {
      worker = await start({ ...system.env, REDIS_URL: proxy.url });
      await worker.ready();
      await eventually(async () => (await leftToDo(system)).events === 0);
      proxy.mute();
      await publish(20);
      await workerStuckAt(system, '%FROM outbox ORDER BY id LIMIT%', 'idle');
      expect((await leftToDo(system)).events).toBe(20);
      await worker.kill('SIGKILL');
      await proxy.restore();
      await heirFinishes();
    },
    LIMIT_MS,
  );

  it(
    'after a queue took the jobs and before the outbox let go of them, has them delivered twice and done once',
    async () => {
      await publish(20);
      // Rows can be taken under this lock, but not deleted.
      const release = await holding(system, 'LOCK TABLE outbox IN SHARE MODE');
      worker = await start();
      await workerStuckAt(system, 'DELETE FROM outbox%', 'lock');
      await eventually(async () => {
        const { rows } = await system.db.query('SELECT count(*)::int AS n FROM test_effects');
        return rows[0].n === published + deadlines;
      });
      await worker.kill('SIGKILL');
      await release();
      expect((await leftToDo(system)).events).toBe(20);
      await heirFinishes();
    },
    LIMIT_MS,
  );

  it(
    'in the middle of grading, leaves the chunk to the next',
    async () => {
      const game = games.at(-1) as TestGame;
      const { rows: pools } = await system.db.query('SELECT id FROM pools ORDER BY id');
      const release = await holding(system, 'SELECT FROM pools WHERE id = $1 FOR UPDATE', [pools.at(-1).id]);
      worker = await start();
      await finish(game);
      await workerStuckAt(system, '%settlement_grade_chunk%', 'lock');
      await worker.kill('SIGKILL');
      await release();
      await heirFinishes();
      const { rows } = await system.db.query(
        `SELECT count(*)::int AS graded, count(DISTINCT settlement_id)::int AS settlements
       FROM bets WHERE game_id = $1 AND status IN ('won', 'lost')`,
        [game.id],
      );
      expect(rows).toEqual([{ graded: betsPerGame, settlements: 1 }]);
    },
    LIMIT_MS,
  );
});
