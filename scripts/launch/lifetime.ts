import type { Screen } from './screen.js';

/** Something that was started and has to be stopped. */
export interface Part {
  readonly name: string;
  /** Stops it in order. */
  stop(): Promise<void>;
  /** Stops it at once, for a person who does not want to wait. */
  kill(): void;
}

/** Thrown out of whatever is going on when a person or the system wants the program to stop. */
export class Stopped extends Error {}

/** Servers last: what talks to them writes down first what it has in hand. */
const STOP_ORDER = ['API', 'worker', 'Postgres', 'Redis'];

/**
 * npm hands a signal on to its script, which a terminal's Ctrl-C reached already as a member of the foreground group:
 * what comes twice within this time was pressed once.
 */
const SAME_PRESS_MS = 500;
const PARENT_POLL_MS = 500;

/** What this program has started, and its end: by Ctrl-C, SIGTERM, a closed terminal, or by the program itself. */
export class Lifetime {
  private readonly parts = new Map<string, Part>();
  private readonly controller = new AbortController();
  private askedAt = 0;

  constructor(private readonly screen: Screen) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.ask(signal));
    if (process.env['npm_lifecycle_event'] !== undefined) this.watchParent(process.ppid);
  }

  /** Aborts when it is time to stop. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Throws Stopped when it is time to stop: called between steps. */
  check(): void {
    if (this.signal.aborted) throw new Stopped();
  }

  /** From now on this part is stopped with the rest; one of the same name is replaced. */
  own(part: Part): void {
    this.parts.set(part.name, part);
  }

  /** A pause that ends early, throwing Stopped, when it is time to stop. */
  async sleep(ms: number): Promise<void> {
    this.check();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.signal.addEventListener('abort', done);
    });
    this.check();
  }

  /** Stops every part, in order; what does not stop is told and does not keep the rest from being stopped. */
  async stopAll(): Promise<boolean> {
    const rank = (name: string): number => STOP_ORDER.indexOf(name);
    let clean = true;
    for (const part of [...this.parts.values()].toSorted((a, b) => rank(a.name) - rank(b.name))) {
      try {
        await part.stop();
      } catch (error) {
        clean = false;
        this.screen.error(`${part.name} did not stop: ${messageOf(error)}`);
      }
      this.parts.delete(part.name);
    }
    return clean;
  }

  private ask(signal: NodeJS.Signals): void {
    const now = performance.now();
    if (!this.signal.aborted) {
      this.askedAt = now;
      this.screen.line('Stopping (Ctrl-C again to force it) …');
      this.controller.abort();
    } else if (signal === 'SIGINT' && now - this.askedAt > SAME_PRESS_MS) {
      for (const part of this.parts.values()) force(part);
      this.screen.error('Stopped by force.');
      process.exit(130);
    }
  }

  /** A shell between npm and this program takes npm's SIGTERM for itself and leaves us behind: its end is ours. */
  private watchParent(parent: number): void {
    setInterval(() => {
      if (process.ppid !== parent && !this.signal.aborted) this.ask('SIGTERM');
    }, PARENT_POLL_MS).unref();
  }
}

function force(part: Part): void {
  try {
    part.kill();
  } catch {
    // it has ended by itself
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
