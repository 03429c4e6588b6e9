/** The queues and how urgent they are. Every job is an event (see outbox) and every processor is idempotent. */
export const QUEUES = {
  /** Weeks: open, group, close. */
  weekCycle: 'week-cycle',
  /** Games: betting closes at the start, what is not over in time is given up. */
  gameCycle: 'game-cycle',
  /** Results to grade, weeks to settle. */
  outcomeSettlement: 'outcome-settlement',
  /** Forgetting what has been kept long enough. */
  housekeeping: 'housekeeping',
} as const;

export const ALL_QUEUES: readonly string[] = Object.values(QUEUES);

/** Retries with growing pauses; what still fails stays in the failed set, the dead-letter view. */
export const JOB_OPTIONS = {
  attempts: 12,
  backoff: { type: 'exponential', delay: 200, jitter: 0.5 },
  removeOnComplete: { age: 24 * 3600, count: 10_000 },
  removeOnFail: false,
} as const;

/** A worker that was killed gives its job back within seconds, as often as it takes. */
export const WORKER_OPTIONS = {
  lockDuration: 10_000,
  stalledInterval: 3_000,
  maxStalledCount: 1_000,
} as const;
