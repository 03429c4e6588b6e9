import { randomInt } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { PollRules } from '../../../platform/config/sport-rules.js';
import { newId } from '../../../platform/database/ids.js';
import { PollLoop } from '../../../platform/jobs/poll-loop.js';
import { FeedSilence } from './feed-silence.js';
import type { FeedDoubtsService } from './feed-doubts.service.js';
import type { FeedsRepository } from './feeds.repository.js';
import { FEED_POLLS, type FeedPollKind } from './feeds.types.js';
import type { FeedIntakeService } from './intake.service.js';
import type { SportsFeed } from './sports-feed.js';

/** A worker that is killed is replaced this soon. */
const HELD_SECONDS = 4;
const RENEWED_MS = 1000;
/** Before the hold ends for others it has ended for us, by a clock of our own. */
const MARGIN_MS = 500;
const ERROR_LENGTH = 500;

export interface FollowerParts {
  readonly repository: FeedsRepository;
  readonly intake: FeedIntakeService;
  readonly doubts: FeedDoubtsService;
  readonly polls: PollRules;
}

/**
 * Follows one feed in one process, while no other does: asks it for each of its kinds at their intervals, less and less often when it
 * fails. When the hold is lost, or cannot be renewed in time, everything that is under way is aborted.
 */
export class FeedFollower {
  private readonly logger: Logger;
  private readonly holder = newId();
  private readonly failures: Record<FeedPollKind, number> = { schedule: 0, odds: 0, scores: 0, results: 0 };
  private readonly pauses: Partial<Record<FeedPollKind, number>> = {};
  private readonly holding: PollLoop;
  private readonly loops: readonly PollLoop[];
  private following: AbortController | null = null;
  private heldUntil = 0;
  private overdue: NodeJS.Timeout | undefined;
  private scheduleKnown = false;

  constructor(
    private readonly feed: SportsFeed,
    private readonly parts: FollowerParts,
  ) {
    this.logger = new Logger(`Feed ${feed.source}`);
    this.holding = new PollLoop(`Feed ${feed.source}`, RENEWED_MS, () => this.hold());
    this.loops = FEED_POLLS.map(
      (kind) =>
        new PollLoop(
          `Feed ${feed.source} ${kind}`,
          () => this.pauseMs(kind),
          () => this.poll(kind),
        ),
    );
  }

  start(): void {
    this.holding.start();
  }

  /** Ends what is under way, and lets another worker take over at once. */
  async stop(): Promise<void> {
    this.abort();
    // One that is just being taken up is begun before this is over.
    await this.holding.stop();
    this.abort();
    await Promise.all(this.loops.map((loop) => loop.stop()));
    await this.parts.repository.release(this.feed.source, this.holder).catch(() => undefined);
  }

  private async hold(): Promise<boolean> {
    const asked = performance.now();
    const held = await this.parts.repository.hold(this.feed.source, this.holder, HELD_SECONDS);
    if (!held) {
      if (this.following !== null) this.logger.warn('another worker follows it now');
      this.abort();
      return false;
    }
    this.heldUntil = asked + HELD_SECONDS * 1000 - MARGIN_MS;
    clearTimeout(this.overdue);
    this.overdue = setTimeout(() => this.abort(), this.heldUntil - performance.now());
    if (this.following === null) this.begin();
    return false;
  }

  private begin(): void {
    this.following = new AbortController();
    this.scheduleKnown = false;
    this.parts.intake.forget(this.feed.source);
    this.feed.begin?.(() => this.parts.repository.heldLines(this.feed.source));
    this.logger.log('is followed by this worker');
    for (const loop of this.loops) loop.start();
  }

  private abort(): void {
    clearTimeout(this.overdue);
    this.following?.abort();
    this.following = null;
  }

  /** An error is told once, by the loop; it is noted each time. */
  private async poll(kind: FeedPollKind): Promise<boolean> {
    const following = this.following?.signal;
    // Late timers after a pause of the whole process: the hold has ended, whatever the flag says.
    if (following === undefined || performance.now() > this.heldUntil) return false;
    if (kind !== 'schedule' && !this.scheduleKnown) return false;
    try {
      await this.ask(kind, following);
    } catch (error) {
      if (following.aborted) return false;
      await this.failed(kind, error);
      throw error;
    }
    if (this.failures[kind] > 0) this.logger.log(`${kind}: it answers again`);
    this.failures[kind] = 0;
    if (kind === 'schedule' && !this.scheduleKnown) {
      this.scheduleKnown = true;
      for (const loop of this.loops.slice(1)) loop.wake();
    }
    return false;
  }

  private async ask(kind: FeedPollKind, following: AbortSignal): Promise<void> {
    const { feed, parts } = this;
    const { intake, doubts, repository, polls } = parts;
    const within = AbortSignal.any([following, AbortSignal.timeout(polls.timeout * 1000)]);
    const take = {
      schedule: async () => {
        const told = await answered(feed.schedule(within), within);
        if (told !== null) await intake.schedule(feed.source, told, following);
      },
      odds: async () => {
        const told = await answered(feed.odds(within), within);
        await intake.odds(feed.source, told, following);
      },
      scores: async () => {
        const told = await answered(feed.scores(within), within);
        if (told !== null) await intake.scores(feed.source, told, following);
      },
      results: async () => {
        const told = await answered(feed.results(within), within);
        if (told !== null) await intake.ends(feed.source, told, following);
      },
    };
    await take[kind]();
    following.throwIfAborted();
    await doubts.noteProblems(feed.source, feed.problems?.() ?? []);
    await repository.noteSuccess(feed.source, kind, feed.status?.() ?? null);
  }

  private async failed(kind: FeedPollKind, error: unknown): Promise<void> {
    this.failures[kind] += 1;
    if (error instanceof FeedSilence && error.retryAfterSeconds !== null)
      this.pauses[kind] = error.retryAfterSeconds * 1000;
    // Only what a feed says of itself is shown: other messages may hold an address, and a key with it.
    const text =
      error instanceof FeedSilence
        ? error.message
        : isTimeout(error)
          ? `it did not answer within ${this.parts.polls.timeout} s`
          : `${kind} failed: ${error instanceof Error ? error.name : 'unknown error'}`;
    await this.parts.repository
      .noteFailure(this.feed.source, kind, text.slice(0, ERROR_LENGTH))
      .catch(() => undefined);
  }

  /** Twice as long after each failure, up to the greatest, and not all at the same moment. */
  private pauseMs(kind: FeedPollKind): number {
    const { polls } = this.parts;
    const usual = polls[kind] * 1000;
    const failures = this.failures[kind];
    if (failures === 0) return usual;
    const most = Math.max(polls.backOff * 1000, usual);
    const grown = Math.min(most, usual * 2 ** Math.min(failures, 16));
    const asked = this.pauses[kind] ?? 0;
    this.pauses[kind] = 0;
    return Math.max(asked, grown / 2 + randomInt(1 + Math.floor(grown / 2)));
  }
}

/** Also when the feed does not heed the signal. */
async function answered<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  let end: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    end = () => reject(signal.reason as Error);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    if (end) signal.removeEventListener('abort', end);
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}
