import { spawnSync } from 'node:child_process';
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { portIsFree } from './ports.js';
import { ensureRedisServer } from './redis-install.js';
import {
  isAlive,
  lastLines,
  readJson,
  remove,
  runningServer,
  spawnServer,
  stopServer,
  type Log,
  type ServerProcess,
} from './server-process.js';

/** Every write goes to the append-only file, so snapshots are not needed; a queue must never lose a key to eviction. */
const SETTINGS: Record<string, string> = {
  appendonly: 'yes',
  save: '',
  'maxmemory-policy': 'noeviction',
  databases: '64',
};

const CONNECT_TIMEOUT_MS = 30_000;
/** Reading a large append-only file back; the server answers meanwhile that it is loading. */
const LOADING_TIMEOUT_MS = 600_000;
const SHUTDOWN_MS = 10_000;
const OLDEST_MAJOR = 7;

export interface RedisOptions {
  /** Where the append-only file, the server's output and the note of its process go; made when missing. */
  dir: string;
  port: number;
  log?: Log;
  /** Configuration directives that go before the built-in ones. */
  settings?: Record<string, string>;
}

export interface EmbeddedRedis {
  /** The port it listens on; another than the one asked for when the server was already running. */
  port: number;
  pid: number;
  /** Whether the server was running before, for another process, and will go on after `stop`. */
  reused: boolean;
  /** Connection URL of one of its 64 databases (0). */
  url(db?: number): string;
  /** Stops the server, its data written; leaves alone one that another live process started. */
  stop(): Promise<void>;
}

/** What `<dir>/server.json` tells of the server that has the directory. */
interface Note {
  pid: number;
  port: number;
  /** The process that started the server. */
  owner: number;
}

/**
 * Starts a Redis (or Valkey) on 127.0.0.1, installing it when it is missing and that is allowed, and answers once it
 * serves. A server that has the directory already is used as it is, for two would spoil each other's file.
 * @throws Error whose message says what to do.
 */
export async function startRedis(options: RedisOptions): Promise<EmbeddedRedis> {
  const { port, log } = options;
  const program = await ensureRedisServer({ ...(log && { log }) });
  warnOfOldVersion(program, log);
  await mkdir(options.dir, { recursive: true });
  const dir = await realpath(resolve(options.dir));

  const running = await attach(dir, log);
  if (running) return running;
  if (!(await portIsFree(port))) {
    throw new Error(`Port ${port} of 127.0.0.1 is in use: choose another one for Redis.`);
  }

  const logFile = join(dir, 'redis.log');
  const server = await spawnServer(program, serverArguments(dir, options), logFile);
  const note: Note = { pid: server.pid, port, owner: process.pid };
  await writeFile(noteFile(dir), JSON.stringify(note));
  if (!(await untilReady(note, server, log))) {
    await remove(noteFile(dir));
    throw new Error(`Redis did not start; the end of ${logFile}:\n${await lastLines(logFile)}`);
  }
  return handle(server, dir, port, true);
}

/** Takes over a server that has the directory; null when there is none. */
async function attach(dir: string, log: Log | undefined): Promise<EmbeddedRedis | null> {
  const note = await readJson<Note>(noteFile(dir));
  if (!note || !isAlive(note.pid) || !(await servesFolder(note, dir))) return null;

  const server = runningServer(note.pid);
  if (!(await untilReady(note, server, log))) return null; // it was on its way out
  const orphan = note.owner === process.pid || !isAlive(note.owner);
  if (orphan) await writeFile(noteFile(dir), JSON.stringify({ ...note, owner: process.pid }));
  log?.(
    orphan
      ? `Redis is still running from an earlier start that was killed (process ${note.pid}, port ${note.port})`
      : `Redis is already running on this directory (process ${note.pid}, port ${note.port})`,
  );
  return handle(server, dir, note.port, orphan);
}

function handle(server: ServerProcess, dir: string, port: number, ours: boolean): EmbeddedRedis {
  return {
    port,
    pid: server.pid,
    reused: !ours,
    url: (db = 0) => `redis://127.0.0.1:${port}/${db}`,
    stop: async () => {
      if (!ours) return;
      // SIGTERM is SHUTDOWN: it writes what is pending.
      await stopServer(server, [
        { signal: 'SIGTERM', waitMs: SHUTDOWN_MS },
        { signal: 'SIGKILL', waitMs: SHUTDOWN_MS },
      ]);
      await remove(noteFile(dir));
    },
  };
}

function serverArguments(dir: string, { port, settings }: RedisOptions): string[] {
  const all: Record<string, string> = {
    ...SETTINGS,
    ...settings,
    // Not to be overridden: what the promises of this file rest on.
    port: String(port),
    bind: '127.0.0.1',
    'protected-mode': 'yes',
    daemonize: 'no',
    dir,
  };
  return Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
}

/**
 * Waits for PONG; false when the server ended first.
 * @throws Error when it answers nothing for half a minute.
 */
async function untilReady(note: Note, server: ServerProcess, log: Log | undefined): Promise<boolean> {
  const started = Date.now();
  let told = false;
  for (;;) {
    const answer = await ask(note.port, (redis) => redis.ping());
    if (answer === 'PONG') return true;
    if (server.ended()) return false;

    const waited = Date.now() - started;
    const loading = answer instanceof Error && answer.message.startsWith('LOADING');
    if (waited > (loading ? LOADING_TIMEOUT_MS : CONNECT_TIMEOUT_MS)) {
      throw new Error(`Redis (process ${server.pid}) does not answer after ${waited / 1000} s.`);
    }
    if (loading && !told) {
      told = true;
      log?.('Redis is reading its data back');
    }
    await sleep(20);
  }
}

/** Whether the noted process is still that server, and not another program with its number. */
async function servesFolder(note: Note, dir: string): Promise<boolean> {
  const answer = await ask(note.port, async (redis) => {
    const info = await redis.info('server');
    const [, folder] = (await redis.config('GET', 'dir')) as string[];
    return info.includes(`process_id:${note.pid}\r\n`) && folder === dir;
  });
  // One that is still loading refuses these; it holds the directory all the same.
  return answer === true || (answer instanceof Error && answer.message.startsWith('LOADING'));
}

/** Asks one thing over a connection of its own; an error is an answer. */
async function ask<T>(port: number, question: (redis: Redis) => Promise<T>): Promise<T | Error> {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    connectTimeout: 2000,
    commandTimeout: 5000,
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  redis.on('error', () => undefined); // told by the rejection
  try {
    await redis.connect();
    return await question(redis);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    redis.disconnect();
  }
}

function warnOfOldVersion(program: string, log: Log | undefined): void {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const version = /v=(\d+)\.(\S+)/.exec(stdout ?? '');
  if (version && Number(version[1]) < OLDEST_MAJOR) {
    log?.(
      `${program} is version ${version[1]}.${version[2]}: Parley is made for Redis ${OLDEST_MAJOR} or newer`,
    );
  }
}

function noteFile(dir: string): string {
  return join(dir, 'server.json');
}
