/**
 * Does with `npm start` what a newcomer does: starts it on an empty data directory, opens the address it prints,
 * presses Ctrl-C, starts it again. The second start must serve within SECOND_START_MS, and after each Ctrl-C no
 * process that was started may be left. Runs on plain Node: `node scripts/checks/start.ts`.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = resolve(import.meta.dirname, '../..');

/** The first start may build, install a Redis and import seasons. */
const FIRST_START_MS = 300_000;
/** What a start on an existing data directory may take, from the command to the first answer. */
const SECOND_START_MS = 8_000;
/** Postgres's fast shutdown writes a checkpoint. */
const STOP_MS = 30_000;
const POLL_MS = 100;

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Tells a process from a later one that was given the same id. */
  readonly startedAt: string;
  readonly command: string;
}

interface Run {
  readonly child: ChildProcess;
  readonly port: number;
  output: string;
}

class CheckFailed extends Error {}

const dataDir = mkdtempSync(join(tmpdir(), 'parley-start-'));
chmodSync(dataDir, 0o755); // as root, Postgres runs under an account of its own, which must get in
/** All that was started so far, by `identity`. */
const started = new Map<string, Process>();

const identity = ({ pid, startedAt }: Process): string => `${pid} ${startedAt}`;

/** What runs now. Processes that ended but were not collected by their parent are not among them. */
function processes(): Process[] {
  return existsSync('/proc/self/stat') ? processesFromProc() : processesFromPs();
}

function processesFromProc(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The command's name stands in parentheses and may itself contain some: fields count from the last one.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (fields[0] === 'Z' || fields[0] === 'X') return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [{ pid: Number(name), parent: Number(fields[1]), startedAt: fields[19] ?? '', command }];
      } catch {
        return []; // it ended while we looked
      }
    });
}

function processesFromPs(): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,lstart=,args='], {
    encoding: 'utf8',
  }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, parent, state, startedAt = '', command = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined || state?.startsWith('Z') === true
      ? []
      : [{ pid: Number(pid), parent: Number(parent), startedAt, command }];
  });
}

/** Adds to `started` what descends from what is in it, and what names the data directory. */
function watch(root?: number): void {
  const now = processes();
  const ours = new Set(now.filter((one) => started.has(identity(one))).map(({ pid }) => pid));
  if (root !== undefined) ours.add(root);
  let size = -1;
  while (size !== ours.size) {
    size = ours.size;
    for (const { pid, parent, command } of now) {
      if (pid !== process.pid && (ours.has(parent) || command.includes(dataDir))) ours.add(pid);
    }
  }
  for (const one of now) {
    if (ours.has(one.pid)) started.set(identity(one), one);
  }
}

function survivors(): Process[] {
  watch();
  return processes().filter((one) => started.has(identity(one)));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function start(): Promise<Run> {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    PORT: String(await freePort()),
    WORKER_PORT: String(await freePort()),
    PARLEY_DATA_DIR: dataDir,
  };
  // With these set nothing embedded would start.
  for (const name of [
    'DATABASE_URL',
    'DATABASE_DIRECT_URL',
    'REDIS_URL',
    'REDIS_QUEUE_URL',
    'REDIS_CACHE_URL',
  ]) {
    Reflect.deleteProperty(environment, name);
  }
  const child = spawn('npm', ['start'], {
    cwd: ROOT,
    env: environment,
    detached: true, // a process group of its own, as a terminal gives it
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const run: Run = { child, port: Number(environment.PORT), output: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      run.output += text;
    });
  }
  await once(child, 'spawn');
  return run;
}

/** Waits for the line with the address, then for that address to answer. Returns the milliseconds since `since`. */
async function serving(run: Run, since: number, limitMs: number): Promise<number> {
  const origin = `http://127.0.0.1:${run.port}`;
  for (;;) {
    watch(run.child.pid);
    if (
      run.output.includes(`${origin}/docs`) &&
      (await answers(`${origin}/docs`)) &&
      (await answers(`${origin}/health/live`))
    ) {
      return performance.now() - since;
    }
    if (hasEnded(run.child)) throw new CheckFailed(`npm start ended by itself:\n${tail(run.output)}`);
    if (performance.now() - since > limitMs) {
      throw new CheckFailed(`not serving ${origin}/docs after ${limitMs / 1000} s:\n${tail(run.output)}`);
    }
    await sleep(POLL_MS);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Ctrl-C: the signal goes to the whole group in the foreground. Afterwards nothing may be left. */
async function interrupt(run: Run): Promise<void> {
  watch(run.child.pid);
  process.kill(-(run.child.pid as number), 'SIGINT');
  const since = performance.now();
  while ((!hasEnded(run.child) || survivors().length > 0) && performance.now() - since < STOP_MS)
    await sleep(POLL_MS);

  const left = survivors();
  if (left.length > 0) {
    const list = left.map(({ pid, command }) => `  ${pid} ${command}`).join('\n');
    throw new CheckFailed(`left behind ${STOP_MS / 1000} s after Ctrl-C:\n${list}\n${tail(run.output)}`);
  }
  const { exitCode, signalCode } = run.child;
  if (exitCode !== 0 && exitCode !== 130 && signalCode !== 'SIGINT') {
    throw new CheckFailed(`ended with ${exitCode ?? signalCode} after Ctrl-C:\n${tail(run.output)}`);
  }
  if (await answers(`http://127.0.0.1:${run.port}/health/live`)) {
    throw new CheckFailed(`port ${run.port} still answers after Ctrl-C`);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function tail(output: string): string {
  return output
    .trimEnd()
    .split('\n')
    .slice(-40)
    .map((line) => `  | ${line}`)
    .join('\n');
}

/** Ends whatever a failed check left, so that the next one finds its ports and memory free. */
function cleanUp(): void {
  for (const { pid } of survivors()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it ended meanwhile
    }
  }
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

async function startAndStop(limitMs: number): Promise<number> {
  const since = performance.now();
  const run = await start();
  const took = await serving(run, since, limitMs);
  await interrupt(run);
  return took;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    cleanUp();
    process.exit(1);
  });
}
try {
  const first = await startAndStop(FIRST_START_MS);
  const second = await startAndStop(SECOND_START_MS);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  console.log(
    `ok: served after ${seconds(first)}, again after ${seconds(second)}; all ${started.size} processes ended`,
  );
} catch (error) {
  console.error(error instanceof CheckFailed ? error.message : error);
  process.exitCode = 1;
} finally {
  cleanUp();
}
