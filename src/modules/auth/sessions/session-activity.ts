import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { PollLoop } from '../../../platform/jobs/poll-loop.js';
import { SessionsRepository } from '../sessions.repository.js';

const FLUSH_MS = 60_000;
const BATCH = 1000;

/**
 * Writes down in Postgres when sessions were last used, at most once a minute each and never while a request waits: it is
 * what idleness goes by when Redis has lost it. What a process that is killed had not written is a minute at most.
 */
@Injectable()
export class SessionActivity implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Seconds since the epoch, by session. */
  private unwritten = new Map<string, number>();
  private readonly loop = new PollLoop('SessionActivity', FLUSH_MS, () => this.flush());

  constructor(private readonly repository: SessionsRepository) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.flush().catch(() => undefined);
  }

  note(sessionId: string, now: number): void {
    this.unwritten.set(sessionId, now);
  }

  /** What this process knows of it and Postgres may not, in seconds since the epoch; 0: nothing. */
  latest(sessionId: string): number {
    return this.unwritten.get(sessionId) ?? 0;
  }

  /** What cannot be written now is tried again a minute later, unless it was outdone by then. */
  async flush(): Promise<boolean> {
    const noted = [...this.unwritten];
    for (let from = 0; from < noted.length; from += BATCH) {
      const batch = noted.slice(from, from + BATCH);
      await this.repository.noteActivity(new Map(batch.map(([id, at]) => [id, new Date(at * 1000)])));
      for (const [id, at] of batch) if (this.unwritten.get(id) === at) this.unwritten.delete(id);
    }
    return false;
  }
}
