import { FEED_PROBLEMS, type FeedProblemReason } from './feed-problem.js';
import { FAULTS, type FaultReason } from './domain/feed-checks.js';

/** What a feed is asked for, in the order of the first time. */
export const FEED_POLLS = ['schedule', 'odds', 'scores', 'results'] as const;
export type FeedPollKind = (typeof FEED_POLLS)[number];

/** What of a feed is not believed. */
export const QUARANTINE_KINDS = ['schedule', 'odds', 'score', 'result'] as const;
export type QuarantineKind = (typeof QUARANTINE_KINDS)[number];
export const QUARANTINE_STATES = ['open', 'dismissed', 'accepted'] as const;
export type QuarantineState = (typeof QUARANTINE_STATES)[number];
export type QuarantineReason = FaultReason | FeedProblemReason;
export const QUARANTINE_REASONS: readonly QuarantineReason[] = [...new Set([...FAULTS, ...FEED_PROBLEMS])];

/** Something that a feed said and that is not believed. */
export interface Doubt {
  readonly kind: QuarantineKind;
  readonly externalId: string;
  readonly gameId: string | null;
  readonly reason: QuarantineReason;
  readonly details: Readonly<Record<string, unknown>>;
}
