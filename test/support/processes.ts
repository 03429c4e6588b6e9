import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { afterAll } from '@jest/globals';
import { freePort } from '../../scripts/embedded/ports.js';

/** Entries that tests start: processes, a command, and a worker that counts the effects of test events. */
const ENTRIES = {
  api: 'src/main.js',
  worker: 'src/worker.js',
  verify: 'src/cli/ledger-verify.js',
  verifyAudit: 'src/cli/audit-verify.js',
  effects: 'test/support/effects-worker.js',
} as const;

/** What ends by itself. */
const COMMANDS: readonly string[] = ['verify', 'verifyAudit'];

const ROOT = join(import.meta.dirname, '..', '..');
const READY_MS = 60_000;
const LAST_LINES = 40;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const running = new Set<ChildProcess>();
let compiled: string | undefined;

/** For a file that starts processes: none outlives it. */
export function endProcessesAfterAll(): void {
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
  });
}

/**
 * The project compiled once for a worker of the tests, as `npm run build` compiles it. A child then starts in a third of
 * the time that it needs when it compiles for itself.
 */
function build(): string {
  if (compiled !== undefined) return compiled;
  const parent = process.env['PARLEY_TEST_FOLDER'];
  if (parent === undefined) throw new Error("PARLEY_TEST_FOLDER is not set: Jest's global setup sets it");
  const folder = join(parent, `build-${threadId}`);
  const swc = join(ROOT, 'node_modules', '@swc', 'cli', 'bin', 'swc.js');
  execFileSync(
    process.execPath,
    [swc, 'src', 'test/support', '-d', folder, '--quiet', '--ignore', '**/*.spec.ts'],
    {
      cwd: ROOT,
      env: { ...process.env, NODE_OPTIONS: '' },
    },
  );
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  // However Jest ends, what it started ends with it.
  writeFileSync(join(folder, 'end-with-parent.js'), "process.once('disconnect', () => process.exit(1));\n");
  if (!existsSync(join(folder, ENTRIES.worker))) throw new Error(`nothing was compiled into ${folder}`);
  compiled = folder;
  return folder;
}

/** A real process of the system, killed as tests please. */
export class TestProcess {
  /** Everything it has written. */
  log = '';
  readonly ended: Promise<Ended>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly name: string,
    /** `http://127.0.0.1:<port>`: the API's, or where the worker tells of its health. */
    readonly url: string,
  ) {
    running.add(child);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    this.ended = once(child, 'close').then(([code, signal]) => {
      running.delete(child);
      return { code, signal };
    });
  }

  /** Starts it on a free port with the environment of a System; it is not awaited to be ready. */
  static async start(
    entry: keyof typeof ENTRIES,
    env: Record<string, string>,
    args: string[] = [],
  ): Promise<TestProcess> {
    const folder = build();
    const { port } = await freePort(0);
    const child = fork(join(folder, ENTRIES[entry]), args, {
      // A command ends by itself, and would not while it listens for its parent.
      execArgv: COMMANDS.includes(entry) ? [] : ['--import', join(folder, 'end-with-parent.js')],
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'],
        LOG_LEVEL: 'info',
        ...env,
        [entry === 'api' ? 'PORT' : 'WORKER_PORT']: String(port),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child.channel?.unref();
    return new TestProcess(child, `${entry} ${child.pid}`, `http://127.0.0.1:${port}`);
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} did not start\n${this.tail()}`);
    return this.child.pid;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The status of /health/ready, or 0 when nothing answers. */
  async readiness(): Promise<number> {
    return await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(5000) }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
  }

  /** Waits until it can serve. Throws with the end of its log when it has ended or takes too long. */
  async ready(): Promise<this> {
    const deadline = performance.now() + READY_MS;
    while ((await this.readiness()) !== 200) {
      if (!this.alive) throw new Error(`${this.name} ended before it was ready\n${this.tail()}`);
      if (performance.now() > deadline)
        throw new Error(`${this.name} is not ready in ${READY_MS} ms\n${this.tail()}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return this;
  }

  /** Sends the signal and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return await this.ended;
  }

  tail(): string {
    return this.log.split('\n').slice(-LAST_LINES).join('\n');
  }
}
