import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { freePort } from '../embedded/ports.js';
import { startPostgres } from '../embedded/postgres.js';
import { startRedis } from '../embedded/redis.js';
import { errorCode } from '../embedded/server-process.js';
import { variable } from './environment.js';
import { type Lifetime, messageOf } from './lifetime.js';
import type { Screen } from './screen.js';

/** Away from 5432 and 6379, where a developer's own servers are. */
const POSTGRES_PORT = 54_310;
const REDIS_PORT = 56_310;

/** A Postgres and a Redis that answer: ours, or those that DATABASE_URL and REDIS_URL name. */
export interface Services {
  /** The database as the operator named it in DATABASE_URL; undefined when Postgres is ours. */
  readonly ownDatabaseUrl: string | undefined;
  /** URL of a database of this name on the server. */
  databaseUrl(name: string): string;
  /** Creates the database when it is missing. */
  ensureDatabase(name: string): Promise<void>;
  /** Drops the database with all that is in it, and creates it anew. */
  recreateDatabase(name: string): Promise<void>;
  /** URL of one of the databases of our Redis; the operator's own REDIS_URL as it is. */
  redisUrl(db: number): string;
}

/** Starts what is not given by DATABASE_URL or REDIS_URL, and tries out what is. */
export async function startServices(dataDir: string, screen: Screen, lifetime: Lifetime): Promise<Services> {
  const postgres = await postgresService(dataDir, screen, lifetime);
  lifetime.check();
  const redisUrl = await redisService(dataDir, screen, lifetime);
  lifetime.check();
  return { ...postgres, redisUrl };
}

/** Sets the movable clock before any process of the product reads it; later an admin moves it over HTTP. */
export async function setClock(databaseUrl: string, instant: Date): Promise<void> {
  const offset = instant.getTime() - Date.now();
  await onServer(databaseUrl, (client) => client.query('UPDATE clock_control SET offset_ms = $1', [offset]));
}

/** Removes every key of a system that is prefixed so. */
export async function forgetKeys(redisUrl: string, prefix: string): Promise<void> {
  const redis = new Redis(redisUrl, { lazyConnect: true, maxRetriesPerRequest: 1 });
  try {
    await redis.connect();
    for (const pattern of [`${prefix}:*`, `{${prefix}:*`]) {
      for await (const keys of redis.scanStream({ match: pattern, count: 1000 }))
        if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
    }
  } finally {
    redis.disconnect();
  }
}

async function postgresService(
  dataDir: string,
  screen: Screen,
  lifetime: Lifetime,
): Promise<Omit<Services, 'redisUrl'>> {
  const own = variable('DATABASE_URL');
  if (own !== undefined) {
    await screen.step(`Trying Postgres at ${hostOf(own)}`, () => tryPostgres(own));
    return {
      ownDatabaseUrl: own,
      databaseUrl: (name) => withDatabase(own, name),
      ensureDatabase: (name) => onServer(own, (client) => createDatabase(client, name)),
      recreateDatabase: (name) => onServer(own, (client) => recreateDatabase(client, name)),
    };
  }
  const { port } = await freePort(POSTGRES_PORT);
  const server = await screen.step('Starting Postgres', () =>
    startPostgres({ dataDir: join(dataDir, 'postgres'), port, log: (line) => screen.line(`  ${line}`) }),
  );
  const { pid, reused } = server;
  lifetime.own({
    name: 'Postgres',
    stop: () => server.stop(),
    // Its immediate shutdown: the next start replays the log.
    kill: () => reused || process.kill(pid, 'SIGQUIT'),
  });
  if (!reused && server.port !== POSTGRES_PORT)
    screen.line(`  Port ${POSTGRES_PORT} is in use: Postgres listens on ${server.port}.`);
  return {
    ownDatabaseUrl: undefined,
    databaseUrl: (name) => server.url(name),
    ensureDatabase: (name) => server.ensureDatabase(name),
    recreateDatabase: (name) => onServer(server.url('postgres'), (client) => recreateDatabase(client, name)),
  };
}

async function redisService(
  dataDir: string,
  screen: Screen,
  lifetime: Lifetime,
): Promise<Services['redisUrl']> {
  const own = variable('REDIS_URL');
  if (own !== undefined) {
    await screen.step(`Trying Redis at ${hostOf(own)}`, () => tryRedis(own));
    return () => own;
  }
  const { port } = await freePort(REDIS_PORT);
  const server = await screen.step('Starting Redis', () =>
    startRedis({ dir: join(dataDir, 'redis'), port, log: (line) => screen.line(`  ${line}`) }),
  );
  const { pid, reused } = server;
  lifetime.own({
    name: 'Redis',
    stop: () => server.stop(),
    kill: () => reused || process.kill(pid, 'SIGKILL'),
  });
  if (!reused && server.port !== REDIS_PORT)
    screen.line(`  Port ${REDIS_PORT} is in use: Redis listens on ${server.port}.`);
  return (db) => server.url(db);
}

async function tryPostgres(url: string): Promise<void> {
  try {
    await onServer(url, (client) => client.query('SELECT 1'));
  } catch (error) {
    throw new Error(
      `The Postgres of DATABASE_URL (${hostOf(url)}) cannot be used (${errorCode(error) ?? messageOf(error)}): ` +
        'start it or correct DATABASE_URL, or unset it to use the embedded one.',
      { cause: error },
    );
  }
}

async function tryRedis(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  let reason: unknown;
  redis.on('error', (error) => (reason = error)); // says more than the rejection
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw new Error(
      `The Redis of REDIS_URL (${hostOf(url)}) cannot be used (${messageOf(reason ?? error)}): ` +
        'start it or correct REDIS_URL, or unset it to use one that Parley starts.',
      { cause: error },
    );
  } finally {
    redis.disconnect();
  }
}

async function onServer(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // told by the query
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function createDatabase(client: Client, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (!rowCount) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
}

async function recreateDatabase(client: Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
  await createDatabase(client, name);
}

function withDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(name)}`;
  return other.href;
}

/** Where it is, without the password. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is no URL';
}
