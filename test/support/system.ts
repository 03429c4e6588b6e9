import { generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import pg from 'pg';
import { createApi, createWorker } from '../../src/bootstrap.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { MovableClock } from '../../src/platform/clock/movable-clock.js';
import type { AppConfig } from '../../src/platform/config/app-config.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { usualConfigDir } from './config-dir.js';
import { everywhere } from './everywhere.js';
import { createTestDatabase, testRedis } from './databases.js';

export const JWT_PRIVATE_KEY = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

export interface System {
  readonly config: AppConfig;
  readonly env: Record<string, string>;
  readonly app: NestExpressApplication;
  readonly worker: INestApplicationContext | null;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Straight to the database, for setting up and for looking. */
  readonly db: pg.Pool;
  moveTo(instant: string | Date): Promise<void>;
  now(): Date;
  stop(): Promise<void>;
}

/** A whole system of its own: database, Redis prefix, API on a free port, and a worker unless told otherwise. */
export async function startSystem(
  options: {
    worker?: boolean;
    at?: string;
    env?: Record<string, string>;
    /** Done to the empty database before anything starts on it. */
    prepare?: (db: pg.Pool, config: AppConfig) => Promise<void>;
  } = {},
): Promise<System> {
  const database = await createTestDatabase();
  const redis = testRedis();
  const env: Record<string, string> = {
    NODE_ENV: 'test',
    DATABASE_URL: database.url,
    DATABASE_POOL_SIZE: '20',
    REDIS_URL: redis.url,
    REDIS_PREFIX: redis.prefix
      .replace(/[^a-z0-9_-]/gi, '-')
      .toLowerCase()
      .slice(0, 40),
    JWT_PRIVATE_KEY,
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    CLOCK_MODE: 'movable',
    GEO_LOCAL_PLACE: 'US-CO',
    ...(options.env?.['TRUSTED_PROXIES'] === undefined ? {} : { GEO_DATABASE: everywhere() }),
    CONFIG_DIR: options.env?.['CONFIG_DIR'] ?? usualConfigDir(),
    RATE_LIMIT_FACTOR: '100000',
    DOCUMENTS_DIR: join(
      process.env['PARLEY_TEST_FOLDER'] ?? tmpdir(),
      `documents-${redis.prefix.replace(/\W/g, '')}`,
    ),
    PORT: '0',
    WORKER_PORT: '0',
    ...options.env,
  };
  const config = loadAppConfig(env);
  const db = new pg.Pool({ connectionString: database.url, max: 10 });
  db.on('error', () => undefined);
  if (options.at !== undefined)
    await db.query('UPDATE clock_control SET offset_ms = $1', [Date.parse(options.at) - Date.now()]);
  await options.prepare?.(db, config);
  const app = await createApi(config);
  await app.listen(0, '127.0.0.1');
  // The sandbox is reached where this API came to listen, which nobody knew before.
  config.SANDBOX_URL = await app.getUrl();
  env['SANDBOX_URL'] = config.SANDBOX_URL;
  const worker = options.worker === false ? null : await createWorker(config);
  await worker?.init();
  const clock = app.get(Clock);
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    config,
    env,
    app,
    worker,
    url: `http://127.0.0.1:${port}`,
    db,
    now: () => clock.now(),
    moveTo: async (instant) => {
      if (!(clock instanceof MovableClock)) throw new Error('this system has the real clock');
      await clock.moveTo(new Date(instant));
      const workerClock = worker?.get(Clock);
      if (workerClock instanceof MovableClock) await workerClock.moveTo(new Date(instant));
    },
    stop: async () => {
      await worker?.close();
      await app.close();
      await db.end();
      await database.drop();
    },
  };
}

/** Waits until `probe` gives something other than null, undefined or false. */
export async function eventually<T>(
  probe: () => Promise<T | null | undefined | false>,
  ms = 15_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > deadline)
      throw new Error(`nothing came of it within ${ms} ms: ${probe.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
