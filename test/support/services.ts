import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../scripts/embedded/ports.js';
import { startPostgres } from '../../scripts/embedded/postgres.js';
import { startRedis } from '../../scripts/embedded/redis.js';
import { runMigrations } from '../../src/platform/database/migrate.js';
import { TEMPLATE_DATABASE } from './template-database.js';

/**
 * The process that holds the servers of a test run. It lives as long as its channel to Jest: however Jest ends, by
 * its teardown, Ctrl-C or kill -9, the servers are stopped and their files removed.
 */

/** What it tells Jest, once. */
export type ServicesMessage = RunningServices | { error: string };

interface RunningServices {
  postgresUrl: string;
  redisUrl: string;
  /** For files of the run; removed after it. */
  folder: string;
}

interface Services extends RunningServices {
  stop(): Promise<void>;
}

/** The data of a test run is worth nothing after it, so nothing waits for the disk. */
const POSTGRES_SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '128MB',
  max_connections: '300',
};
const REDIS_SETTINGS = { appendonly: 'no', save: '' };

/** Another program may take a free port before the server does. */
const PORT_ATTEMPTS = 3;

const starting = startServices();
process.once('disconnect', () => void stop());
process.once('SIGTERM', () => void stop());
await starting.then(
  ({ postgresUrl, redisUrl, folder }) => tell({ postgresUrl, redisUrl, folder }),
  (error: unknown) => tell({ error: describe(error) }),
);

async function stop(): Promise<void> {
  const services = await starting.catch(() => null);
  await services?.stop();
  process.exit();
}

async function startServices(): Promise<Services> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-test-'));
  chmodSync(folder, 0o755); // for root: the server runs under another account, which must enter
  const remove = () => rm(folder, { recursive: true, force: true });
  const { TEST_DATABASE_URL: postgresUrl, TEST_REDIS_URL: redisUrl } = process.env;
  if (!postgresUrl || !redisUrl) return startEmbedded(folder, remove);
  await makeTemplate(postgresUrl);
  return { postgresUrl, redisUrl, folder, stop: remove };
}

async function startEmbedded(folder: string, remove: () => Promise<void>): Promise<Services> {
  const stops: (() => Promise<unknown>)[] = [remove];
  const stopAll = async () => {
    for (const stopOne of stops.splice(0).toReversed()) await stopOne();
  };
  try {
    const log = (line: string) => void process.stderr.write(`${line}\n`);
    const quiet = (line: string) => (line.startsWith('Making the database') ? undefined : log(line));
    const postgres = await onFreePort((port) =>
      startPostgres({ dataDir: join(folder, 'postgres'), port, settings: POSTGRES_SETTINGS, log: quiet }),
    );
    stops.push(
      // Not always our folder: where root's temporary folder is closed to the server, its data stands elsewhere.
      () => rm(dirname(postgres.dataDir), { recursive: true, force: true }),
      () => postgres.stop(),
    );
    const redis = await onFreePort((port) =>
      startRedis({ dir: join(folder, 'redis'), port, settings: REDIS_SETTINGS, log }),
    );
    stops.push(() => redis.stop());

    const postgresUrl = postgres.url('postgres');
    await makeTemplate(postgresUrl);
    return { postgresUrl, redisUrl: redis.url(), folder, stop: stopAll };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const { port } = await freePort(0);
    try {
      return await start(port);
    } catch (error) {
      const lost = /in use/i.test(describe(error));
      if (!lost || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** Made anew each time, so that it is the schema of the migrations as they are now. */
async function makeTemplate(adminUrl: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(`DROP DATABASE IF EXISTS ${TEMPLATE_DATABASE} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`);
    const url = new URL(adminUrl);
    url.pathname = `/${TEMPLATE_DATABASE}`;
    await runMigrations(url.href);
    // Nobody may be connected to a database while it is cloned.
    await admin.query(`ALTER DATABASE ${TEMPLATE_DATABASE} ALLOW_CONNECTIONS false`);
  } finally {
    await admin.end();
  }
}

function tell(message: ServicesMessage): void {
  // Jest may be gone already; the disconnect has its own handler.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
