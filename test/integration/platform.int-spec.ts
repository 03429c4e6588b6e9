import { randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Job, Queue } from 'bullmq';
import type { EntityManager } from 'typeorm';
import { createWorker } from '../../src/bootstrap.js';
import { afterCommit } from '../../src/platform/database/after-commit.js';
import { errorCode } from '../../src/platform/database/database-errors.js';
import { Database } from '../../src/platform/database/database.js';
import { newId } from '../../src/platform/database/ids.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { hashBody, IdempotencyService } from '../../src/platform/http/idempotency.js';
import { DeadlinesRepository } from '../../src/platform/jobs/deadlines.repository.js';
import { DeadlinesService } from '../../src/platform/jobs/deadlines.service.js';
import { EventRoutes } from '../../src/platform/outbox/event-routes.js';
import { HousekeepingProcessor } from '../../src/platform/jobs/housekeeping.processor.js';
import { OutboxService } from '../../src/platform/outbox/outbox.service.js';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import { DUE_KIND, happened } from '../support/effects.js';
import { eventually, startSystem, type System } from '../support/system.js';

/** A queue that counts how often it is handed each event. */
class CountingQueue extends Queue {
  readonly handedOver: string[] = [];

  override async addBulk(jobs: Parameters<Queue['addBulk']>[0]): Promise<Job[]> {
    this.handedOver.push(...jobs.map(({ data }) => (data as { eventId: string }).eventId));
    return await super.addBulk(jobs);
  }
}

describe('the platform', () => {
  let system: System;
  let work: UnitOfWork;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    work = system.app.get(UnitOfWork);
    await system.db.query('CREATE TABLE test_rows (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)');
    await system.db.query('INSERT INTO test_rows SELECT generate_series(1, 10)');
  });
  afterAll(async () => system.stop());

  async function n(id: number): Promise<number> {
    const { rows } = await system.db.query('SELECT n FROM test_rows WHERE id = $1', [id]);
    return rows[0].n as number;
  }

  async function add(manager: EntityManager, id: number): Promise<void> {
    await manager.query('UPDATE test_rows SET n = n + 1 WHERE id = $1', [id]);
  }

  async function fail(manager: EntityManager, code: string): Promise<void> {
    await manager.query(`DO $$ BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '${code}'; END $$`);
  }

  async function codeOf(outcome: Promise<unknown>): Promise<string | null> {
    return await outcome.then(
      () => 'none',
      (error: unknown) => errorCode(error),
    );
  }

  describe('a unit of work', () => {
    it('starts its whole callback again after a deadlock', async () => {
      const arrived = Promise.withResolvers<void>();
      let inside = 0;
      let runs = 0;
      const cross = (first: number, second: number) =>
        work.run(async (manager) => {
          runs += 1;
          await add(manager, first);
          if ((inside += 1) === 2) arrived.resolve();
          await arrived.promise;
          await add(manager, second);
        });
      await Promise.all([cross(1, 2), cross(2, 1)]);
      expect([runs, await n(1), await n(2)]).toEqual([3, 2, 2]);
    });

    it.each(['40P01', '40001'])('tries three times more when %s comes again and again', async (code) => {
      let runs = 0;
      const outcome = work.run(async (manager) => {
        runs += 1;
        await fail(manager, code);
      });
      expect([await codeOf(outcome), runs]).toEqual([code, 4]);
    });

    it('does not try again what cannot go better', async () => {
      let runs = 0;
      const outcome = work.run(async (manager) => {
        runs += 1;
        await fail(manager, '23514');
      });
      expect([await codeOf(outcome), runs]).toEqual(['23514', 1]);
    });

    it('tells the error that broke the transaction, not that it is broken', async () => {
      const outcome = work.run(async (manager) => {
        await fail(manager, '22012').catch(() => undefined);
        await add(manager, 3);
      });
      expect(await codeOf(outcome)).toBe('22012');
    });

    it('fails when its callback keeps silent about the error, for nothing is committed', async () => {
      const outcome = work.run(async (manager) => {
        await add(manager, 3);
        await fail(manager, '22012').catch(() => undefined);
      });
      expect([await codeOf(outcome), await n(3)]).toEqual(['22012', 0]);
    });

    it('starts again after a deadlock that the callback caught', async () => {
      let runs = 0;
      await work.run(async (manager) => {
        await add(manager, 4);
        if ((runs += 1) === 1) await fail(manager, '40P01').catch(() => undefined);
      });
      expect([runs, await n(4)]).toEqual([2, 1]);
    });

    it('goes on behind a savepoint', async () => {
      await work.run(async (manager) => {
        await add(manager, 5);
        await manager.transaction((inner) => fail(inner, '22012')).catch(() => undefined);
        await add(manager, 5);
      });
      expect(await n(5)).toBe(2);
    });

    it('does what comes after the commit then, once, and never when there is none', async () => {
      const seen: Promise<number>[] = [];
      await work.run(async (manager) => {
        afterCommit(manager, 'look', () => seen.push(n(6)));
        afterCommit(manager, 'look', () => seen.push(n(6)));
        await add(manager, 6);
      });
      let runs = 0;
      await work.run(async (manager) => {
        if ((runs += 1) === 1) {
          afterCommit(manager, 'of the attempt that failed', () => seen.push(n(6)));
          await fail(manager, '40P01');
        }
      });
      const outcome = work.run(async (manager) => {
        afterCommit(manager, 'look', () => seen.push(n(6)));
        await fail(manager, '22012');
      });
      expect(await codeOf(outcome)).toBe('22012');
      expect(await Promise.all(seen)).toEqual([1]);
      await work.run(async (manager) => {
        afterCommit(manager, 'fail', () => {
          throw new Error('too late');
        });
        await add(manager, 7);
      });
      expect(await n(7)).toBe(1);
      expect(() =>
        afterCommit(system.app.get(UnitOfWork)['dataSource'].manager, 'look', () => undefined),
      ).toThrow();
    });
  });

  it('keeps its connections when a statement is refused', async () => {
    const database = system.app.get(Database);
    const connected: unknown[] = [];
    database.pool.on('connect', (client) => connected.push(client));
    for (let turn = 0; turn < 20; turn += 1)
      expect(await codeOf(database.query('test.refused', 'SELECT 1 / $1::int', [0]))).toBe('22012');
    expect(connected).toEqual([]);
  });

  it('survives a connection that is lost in the middle of a statement', async () => {
    const database = system.app.get(Database);
    const sleepers = [
      database.query('test.sleep', 'SELECT pg_sleep(20)'),
      work.run((manager) => manager.query('SELECT pg_sleep(20)')),
    ].map((outcome) => expect(outcome).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' }));
    let ended = 0;
    await eventually(async () => {
      const { rowCount } = await system.db.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'`,
      );
      return (ended += rowCount ?? 0) >= sleepers.length;
    });
    await Promise.all(sleepers);
    expect(await database.query('test.one', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  describe('idempotency', () => {
    const scope = { operation: 'test', status: 200, now: new Date('2023-10-03T12:00:00Z') };
    const key = (text: string, body: object = {}) => ({ key: text, bodyHash: hashBody(body) });

    it('does once what 50 callers ask for at once, and answers all alike', async () => {
      const idempotency = system.app.get(IdempotencyService);
      const userId = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, caller) =>
          work.run((manager) =>
            idempotency.once(manager, { ...scope, userId }, key('same'), async () => {
              await add(manager, 8);
              return { caller };
            }),
          ),
        ),
      );
      expect(await n(8)).toBe(1);
      expect(new Set(answers.map(({ data, at }) => JSON.stringify([data, at]))).size).toBe(1);
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
      const other = work.run((manager) =>
        idempotency.once(manager, { ...scope, userId }, key('same', { other: true }), async () => ({})),
      );
      await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    });

    it('lets a key be tried again after a refusal, also by those who waited for it', async () => {
      const idempotency = system.app.get(IdempotencyService);
      const userId = randomUUID();
      let refusals = 3;
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, () =>
          work.run((manager) =>
            idempotency.once(manager, { ...scope, userId }, key('refused'), async () => {
              await add(manager, 9);
              if ((refusals -= 1) >= 0) throw new Error('refused');
              return { done: true };
            }),
          ),
        ),
      );
      expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(3);
      expect(await n(9)).toBe(1);
    });
  });

  describe('deadlines', () => {
    const noon = Date.parse('2023-10-05T12:00:00Z');
    const service = () => system.app.get(DeadlinesService);
    const set = (count: number, dueAt: (index: number) => number) =>
      work.run((manager) =>
        service().set(
          manager,
          DUE_KIND,
          ...Array.from({ length: count }, (_, index) => ({
            subject: `${index}`,
            dueAt: new Date(dueAt(index)),
          })),
        ),
      );

    async function poll(pollers: number): Promise<number> {
      const repository = system.app.get(DeadlinesRepository);
      const fired = await Promise.all(
        Array.from({ length: pollers }, async () => {
          let sum = 0;
          for (let last = 1; last > 0; sum += last)
            last = await repository.fireDue(Array.from({ length: 20 }, newId));
          return sum;
        }),
      );
      return fired.reduce((sum, count) => sum + count, 0);
    }

    async function told(): Promise<Record<string, number>> {
      const { rows } = await system.db.query(
        `DELETE FROM outbox WHERE topic = $1 RETURNING payload ->> 'subject' AS subject`,
        [`deadline.${DUE_KIND}`],
      );
      return Object.fromEntries(
        Object.entries(Object.groupBy(rows, ({ subject }) => subject as string)).map(([k, list]) => [
          k,
          list?.length ?? 0,
        ]),
      );
    }

    it('fire once when the clock jumps, however many pollers look', async () => {
      await set(250, (index) => noon + index * 60_000);
      expect(await poll(8)).toBe(0);
      await system.moveTo(new Date(noon + 99.5 * 60_000));
      expect(await poll(8)).toBe(100);
      expect(Object.values(await told())).toEqual(Array.from({ length: 100 }, () => 1));
      await system.moveTo(new Date(noon - 1));
      expect(await poll(8)).toBe(0);
      await system.moveTo(new Date(noon + 86_400_000));
      expect(await poll(8)).toBe(150);
      expect(Object.values(await told())).toEqual(Array.from({ length: 150 }, () => 1));
    });

    it('fire again when they are moved, not when they are set to what they were', async () => {
      await set(250, (index) => noon + (index < 3 ? 86_000_000 : index * 60_000));
      expect(await poll(4)).toBe(3);
      expect(await told()).toEqual({ 0: 1, 1: 1, 2: 1 });
    });
  });

  it('forgets hourly what nobody can need any more, in batches, and nothing else', async () => {
    const worker: INestApplicationContext = await createWorker(system.config);
    const now = system.now();
    const user = randomUUID();
    const left = async (sql: string) =>
      (await system.db.query(`SELECT count(*)::int AS n FROM ${sql}`)).rows[0].n as number;
    try {
      await system.db.query(
        `INSERT INTO users (id, email, handle, display_name, birth_date, terms_version, terms_accepted_at, created_at)
         VALUES ($1, 'old@example.com', 'old_one', 'Old', '1990-01-01', '1', now(), now())`,
        [user],
      );
      // Sessions by how long ago they expired and ended, tokens by how long ago they expired; which are kept.
      for (const [expired, ended, token] of [
        [91, null, 91],
        [91, null, -5],
        [-5, 91, -5],
        [89, 89, 31],
        [-5, null, 29],
        [-5, null, -5],
      ] as const)
        await system.db.query(
          `WITH s AS (
             INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, ended_at, end_reason)
             VALUES (gen_random_uuid(), $1, $2, $2, $2::timestamptz - make_interval(days => $3),
                     $2::timestamptz - make_interval(days => $4), 'logout') RETURNING id)
           INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at)
           SELECT gen_random_uuid()::text::bytea, id, $2, $2::timestamptz - make_interval(days => $5) FROM s`,
          [user, now, expired, ended, token],
        );
      await system.db.query(
        `INSERT INTO deadlines (kind, subject, due_at, done_at)
         SELECT 'forgotten', age::text, now(), now() - make_interval(days => age) FROM unnest(ARRAY[29, 31, NULL]) AS a (age)
         WHERE age IS NOT NULL
         UNION ALL SELECT 'forgotten', 'waiting', now() + interval '100 years', NULL`,
      );
      await system.db.query(
        `INSERT INTO processed_events (consumer, event_id, processed_at)
         SELECT 'forgotten', gen_random_uuid(), now() - make_interval(days => CASE WHEN n = 1 THEN 29 ELSE 31 END)
         FROM generate_series(1, 10002) n`,
      );
      await system.db.query(
        `INSERT INTO idempotency_keys (user_id, operation, key, body_hash, status, response, created_at)
         SELECT $1, 'forgotten', age::text, '', 200, '{}', now() - make_interval(days => age)
         FROM unnest(ARRAY[6, 8, 400]) AS a (age)`,
        [user],
      );
      await worker.get(HousekeepingProcessor).process();
      expect(await left(`sessions WHERE user_id = '${user}'`)).toBe(3);
      expect(
        await left(`refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE s.user_id = '${user}'`),
      ).toBe(2);
      const { rows } = await system.db.query(
        "SELECT subject FROM deadlines WHERE kind = 'forgotten' ORDER BY subject",
      );
      expect(rows.map(({ subject }) => subject)).toEqual(['29', 'waiting']);
      expect(await left("processed_events WHERE consumer = 'forgotten'")).toBe(1);
      expect(await left("idempotency_keys WHERE operation = 'forgotten'")).toBe(1);
    } finally {
      await worker.close();
    }
  });

  it('two relays at once hand each event to each of its queues once', async () => {
    const EVENTS = 500;
    const { queue: connection } = system.app.get(RedisConnections);
    const queues = ['test-one', 'test-two'].map(
      (name) => new CountingQueue(name, { connection, prefix: `{${system.config.REDIS_PREFIX}:${name}}` }),
    );
    const workers: INestApplicationContext[] = [
      await createWorker(system.config),
      await createWorker(system.config),
    ];
    for (const worker of workers) for (const queue of queues) worker.get(EventRoutes).on(happened, queue);
    const outbox = system.app.get(OutboxService);
    for (let left = EVENTS; left > 0; left -= 50)
      await work.run(async (manager) => {
        for (let index = 0; index < 50; index += 1)
          await outbox.publish(manager, happened, { subject: `${left - index}` });
      });
    await eventually(async () => (await system.db.query('SELECT FROM outbox')).rowCount === 0);
    for (const queue of queues) {
      expect([queue.handedOver.length, new Set(queue.handedOver).size]).toEqual([EVENTS, EVENTS]);
      expect(await queue.getWaitingCount()).toBe(EVENTS);
      await queue.obliterate();
      await queue.close();
    }
    await Promise.all(workers.map((worker) => worker.close()));
  });
});
