import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, renameSync, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { lastLines } from '../embedded/server-process.js';
import { type Lifetime, messageOf, type Part } from './lifetime.js';
import type { Screen } from './screen.js';

const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 50;
/** More than the product's own SHUTDOWN_GRACE_MS, by which it ends itself. */
const STOP_MS = 15_000;
const TAIL_LINES = 12;
/** A line of pino's at level warn, error or fatal. */
const WARNING = /^\{"level":(?:40|50|60),/;

export type ProcessName = 'API' | 'worker';

export interface ProcessOptions {
  readonly name: ProcessName;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
}

/** Thrown when a process of the product ended although nobody asked it to; the message shows the end of its log. */
export class ProcessDied extends Error {}

/**
 * One process of the product, in a process group of its own: a Ctrl-C in the terminal reaches only this program, which
 * stops it in its turn. All it prints goes to its log file; warnings and errors are shown as well.
 */
export class ProductProcess implements Part {
  readonly name: ProcessName;
  /** Settles when the process has ended. */
  readonly ended: Promise<void>;
  private readonly child: ChildProcess;
  private asked = false;

  constructor(
    private readonly options: ProcessOptions,
    private readonly screen: Screen,
  ) {
    this.name = options.name;
    const log = newLog(options.logFile);
    const port = String(options.port);
    this.child = spawn(process.execPath, [entryOf(options.name)], {
      detached: true,
      env: { ...process.env, ...options.env, PORT: port, WORKER_PORT: port },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => this.take(line, log));
    // `close` comes after the last line, `exit` may come before it; it rejects for a process that never was.
    this.ended = once(this.child, 'close').then(
      () => new Promise((resolve) => log.end(resolve)),
      (error: unknown) => this.screen.error(messageOf(error)),
    );
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits until it serves. Throws ProcessDied when it ends instead. */
  async ready(lifetime: Lifetime): Promise<void> {
    const url = `http://127.0.0.1:${this.options.port}/health/ready`;
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!(await answers(url))) {
      if (this.hasEnded) throw await this.death();
      if (performance.now() > deadline)
        throw new Error(
          `The ${this.name} is not ready after ${READY_TIMEOUT_MS / 1000} s: see ${this.options.logFile}.`,
        );
      await lifetime.sleep(READY_POLL_MS);
    }
  }

  /** Settles when it ended by itself, with what there is to say; never when it was stopped. */
  async unexpectedEnd(): Promise<ProcessDied> {
    await this.ended;
    return this.asked ? await new Promise(() => undefined) : await this.death();
  }

  async stop(): Promise<void> {
    this.asked = true;
    if (!this.hasEnded) this.child.kill('SIGTERM');
    const overdue = setTimeout(() => this.kill(), STOP_MS);
    await this.ended;
    clearTimeout(overdue);
  }

  kill(): void {
    this.asked = true;
    if (!this.hasEnded) process.kill(-this.pid, 'SIGKILL');
  }

  private get hasEnded(): boolean {
    return this.pid === 0 || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private async death(): Promise<ProcessDied> {
    await this.ended;
    const { exitCode, signalCode } = this.child;
    const tail = await lastLines(this.options.logFile, TAIL_LINES);
    const how = signalCode ? `was ended by ${signalCode}` : `ended with code ${exitCode ?? 'unknown'}`;
    return new ProcessDied(`The ${this.name} ${how}. The end of ${this.options.logFile}:\n${tail}`);
  }

  private take(line: string, log: WriteStream): void {
    log.write(`${line}\n`);
    if (WARNING.test(line)) this.screen.error(`  ${this.name}: ${summaryOf(line)}`);
  }
}

/** The compiled file that a process runs. */
export function entryOf(name: ProcessName): string {
  return name === 'API' ? 'dist/src/main.js' : 'dist/src/worker.js';
}

/** Runs a command of the product to its end. Throws with what it said when it fails. */
export async function runTool(args: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} failed:\n${printed.trimEnd()}`);
  return printed.trimEnd();
}

/** The log of the run before is kept as `<file>.1`. */
function newLog(file: string): WriteStream {
  if (existsSync(file)) renameSync(file, `${file}.1`);
  return createWriteStream(file, { mode: 0o600 });
}

function summaryOf(line: string): string {
  try {
    const { msg, err, context } = JSON.parse(line) as {
      msg?: string;
      context?: string;
      err?: { message?: string };
    };
    return [context, msg ?? err?.message].filter(Boolean).join(': ');
  } catch {
    return line;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
