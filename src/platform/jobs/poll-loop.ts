import { Logger } from '@nestjs/common';

/** Calls `work` every `intervalMs` and at once when woken, never twice at a time; an error is told and tried again. */
export class PollLoop {
  private readonly logger: Logger;
  private stopped = true;
  private woken = false;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private idle = true;
  private lastError = '';

  /** `work` returns true when it should be called again without waiting. How long it waits else may be told anew each time. */
  constructor(
    name: string,
    private readonly intervalMs: number | (() => number),
    private readonly work: () => Promise<boolean>,
  ) {
    this.logger = new Logger(name);
  }

  start(): void {
    this.stopped = false;
    this.wake();
  }

  wake(): void {
    if (this.stopped) return;
    this.woken = true;
    if (!this.idle) return;
    clearTimeout(this.timer);
    this.idle = false;
    this.running = this.turn();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async turn(): Promise<void> {
    do {
      this.woken = false;
      try {
        this.woken = (await this.work()) || this.woken;
        this.lastError = '';
      } catch (error) {
        const { message } = error as Error;
        if (message !== this.lastError) this.logger.warn({ err: error }, message);
        this.lastError = message;
        this.woken = false;
      }
    } while (this.woken && !this.stopped);
    this.idle = true;
    if (this.stopped) return;
    const { intervalMs } = this;
    this.timer = setTimeout(() => this.wake(), typeof intervalMs === 'number' ? intervalMs : intervalMs());
  }
}
