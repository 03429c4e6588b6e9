import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The account a server runs under; without one it is the caller's own. */
export interface Account {
  uid: number;
  gid: number;
  name: string;
}

/** Told one line at a time what a person who waits should know. */
export type Log = (line: string) => void;

export interface ServerProcess {
  pid: number;
  /** Whether the process has ended, however it did. */
  ended(): boolean;
}

/**
 * Starts a server in its own process group, so that a Ctrl-C in the terminal reaches only this process, which then
 * stops the server in order. Its output goes to a file and not to a pipe: a pipe would break it when this process
 * is killed. The output of the run before is kept as `<logFile>.1`.
 */
export async function spawnServer(
  command: string,
  args: string[],
  logFile: string,
  account?: Account,
): Promise<ServerProcess> {
  if (existsSync(logFile)) await rename(logFile, `${logFile}.1`);
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: '/', // the caller's directory may be closed to the account
      env: serverEnvironment(),
      ...(account && { uid: account.uid, gid: account.gid }),
    });
    await spawned(child);
    child.unref();
    const pid = child.pid as number;
    return { pid, ended: () => child.exitCode !== null || child.signalCode !== null || !isAlive(pid) };
  } finally {
    await log.close();
  }
}

/** A server that an earlier process started. */
export function runningServer(pid: number): ServerProcess {
  return { pid, ended: () => !isAlive(pid) };
}

/** Only what a server needs: variables such as PGPORT or LD_LIBRARY_PATH of the caller would change what it does. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * Sends each signal in turn, as long as the server has not ended and the time of the signal before is over.
 * @throws Error when the server outlives the last one.
 */
export async function stopServer(
  server: ServerProcess,
  steps: { signal: NodeJS.Signals; waitMs: number }[],
): Promise<void> {
  for (const { signal, waitMs } of steps) {
    if (server.ended()) return;
    send(server.pid, signal);
    const deadline = Date.now() + waitMs;
    while (!server.ended() && Date.now() < deadline) await sleep(20);
  }
  if (!server.ended())
    throw new Error(`Process ${server.pid} does not end: stop it with kill -9 ${server.pid}.`);
}

/** Whether a process of this id runs; one that has ended but was not yet collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') return false;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return state !== 'Z' && state !== 'X';
  } catch {
    return !existsSync('/proc/self/stat'); // no /proc, as on macOS: the signal's answer stands
  }
}

/** The last lines of a server's output, for the message of an error. */
export async function lastLines(logFile: string, count = 8): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** Reads a small JSON file; null when it is missing or not whole. */
export async function readJson<T>(file: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return null;
  }
}

/** Removes a file or folder that may already be gone. */
export async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** The system's code of an error (`ENOENT`), or Postgres's (`3D000`). */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
