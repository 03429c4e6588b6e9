import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../scripts/embedded/ports.js';
import { startPostgres } from '../../scripts/embedded/postgres.js';
import { startRedis } from '../../scripts/embedded/redis.js';
import { mmdbOf } from '../../scripts/geo/mmdb.js';
import { runMigrations } from '../../src/platform/database/migrate.js';

const DIRECTORY = '.local/bench';
/** As the image starts an API process; floors have the same. */
const FLAGS = ['--max-semi-space-size=32', '--heap-growing-percent=100', '--v8-pool-size=0'];
const WORKER_FLAGS = ['--max-semi-space-size=32'];
const ENTRIES = {
  main: 'dist/src/main.js',
  worker: 'dist/src/worker.js',
  'unguarded-main': 'dist/bench/support/unguarded-main.js',
  'bare-nest': 'dist/bench/support/bare-nest.js',
  'guarded-nest': 'dist/bench/support/guarded-nest.js',
  'bare-sockets': 'dist/bench/support/bare-sockets.js',
};
type Kind = keyof typeof ENTRIES;

/** Postgres, Redis and processes of the product, all of the bench's own, with the settings `npm start` uses. */
export interface Bench {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly privateKey: string;
  /** What production asks for. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Straight to the database. */
  readonly db: pg.Pool;
  /** Starts a process and waits until it is ready. */
  start(kind: Kind, env?: Record<string, string>): Promise<Running>;
  stop(): Promise<void>;
}

export interface Running {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A fresh, migrated database under this name, on the bench's own servers. */
export async function startBench(name: string): Promise<Bench> {
  await mkdir(DIRECTORY, { recursive: true });
  const postgres = await startPostgres({
    dataDir: join(DIRECTORY, 'postgres'),
    port: (await freePort(54_330)).port,
    settings: { max_wal_size: '8GB', wal_compression: 'off' },
  });
  const redis = await startRedis({ dir: join(DIRECTORY, 'redis'), port: (await freePort(56_390)).port });
  const admin = new pg.Client(postgres.url('postgres'));
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  await admin.end();
  await postgres.ensureDatabase(name);
  const databaseUrl = postgres.url(name);
  await runMigrations(databaseUrl);
  const db = new pg.Pool({ connectionString: databaseUrl, max: 16 });
  const secrets = {
    METRICS_TOKEN: 'a token of the bench',
    JWT_PRIVATE_KEY: generateKeyPairSync('ed25519')
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString(),
    ENCRYPTION_KEYS: `bench:${randomBytes(32).toString('base64')}`,
    BLIND_INDEX_KEY: randomBytes(32).toString('base64'),
    PUBLIC_URL: 'https://api.bench.test',
    DOCUMENTS_DIR: resolve(DIRECTORY, 'documents'),
  };
  // The load comes from loopback, for which production has no place: this database puts it in Colorado.
  const places = resolve(DIRECTORY, 'places.mmdb');
  const here = { country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'CO' }] };
  await writeFile(places, mmdbOf({ '127.0.0.0/8': here, '::1/128': here }));
  const children = new Set<Running>();
  const redisUrl = redis.url(1);
  return {
    databaseUrl,
    redisUrl,
    privateKey: secrets.JWT_PRIVATE_KEY,
    secrets,
    db,
    start: async (kind, env = {}) => {
      const running = await startProcess(kind, {
        NODE_ENV: 'production',
        DATABASE_URL: databaseUrl,
        REDIS_URL: redisUrl,
        REDIS_PREFIX: name.replaceAll('_', '-'),
        ...secrets,
        GEO_DATABASE: places,
        // One address and a few users stand for thousands: the limits are counted and told, and not reached.
        RATE_LIMIT_FACTOR: '1000000',
        ...env,
      });
      children.add(running);
      return running;
    },
    stop: async () => {
      for (const child of children) await child.stop();
      await db.end();
      await redis.stop();
      await postgres.stop();
    },
  };
}

async function startProcess(kind: Kind, env: Record<string, string>): Promise<Running> {
  const { port } = await freePort(kind.endsWith('main') ? 3900 : 3950);
  const log = openSync(join(DIRECTORY, `${kind}.log`), 'w');
  const child: ChildProcess = spawn(
    process.execPath,
    [...(kind === 'worker' ? WORKER_FLAGS : FLAGS), ENTRIES[kind]],
    {
      env: { ...process.env, ...env, PORT: String(port), WORKER_PORT: String(port) },
      stdio: ['ignore', log, log],
    },
  );
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    if (child.exitCode !== null) throw new Error(`${kind} ended at once; see ${DIRECTORY}/${kind}.log`);
    const ready = await fetch(`${url}/health/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) break;
    if (tries > 300) throw new Error(`${kind} is not ready after 30 s`);
    await sleep(100);
  }
  return {
    url,
    pid: child.pid ?? 0,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
