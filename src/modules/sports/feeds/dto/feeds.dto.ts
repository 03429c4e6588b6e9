import { ApiProperty } from '@nestjs/swagger';
import {
  BoolField,
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../../platform/http/fields.js';
import { CursorQuery } from '../../../../platform/http/pagination.js';
import {
  FEED_POLLS,
  type FeedPollKind,
  QUARANTINE_KINDS,
  QUARANTINE_REASONS,
  QUARANTINE_STATES,
  type QuarantineKind,
  type QuarantineReason,
  type QuarantineState,
} from '../feeds.types.js';

export class FeedPollDto {
  @EnumField(FEED_POLLS)
  kind: FeedPollKind;

  @TimeField({ nullable: true })
  lastSuccessAt: string | null;

  @TextField({ nullable: true, max: 500, example: 'The Odds API answered 503' })
  lastError: string | null;

  @TimeField({ nullable: true })
  lastErrorAt: string | null;

  @IntField({ min: 0, example: 0, description: 'Failures since the last success' })
  failures: number;
}

export class FeedQuotaDto {
  @IntField({ example: 480, description: 'Calls that are left' })
  remaining: number;

  @IntField({ min: 0, example: 20 })
  used: number;

  @IntField({ min: 0, example: 3, description: 'What the last call cost' })
  lastCost: number;
}

export class FeedDto {
  @TextField({ max: 60, example: 'odds-api', description: 'The source of its games' })
  source: string;

  @BoolField({ description: 'Whether a worker follows it just now' })
  followed: boolean;

  @IntField({
    nullable: true,
    min: 0,
    example: 1,
    description: 'Seconds since it told prices last; null when it never did',
  })
  lagSeconds: number | null;

  @IntField({ min: 0, example: 96, description: 'Games that have not ended' })
  games: number;

  @IntField({ min: 0, example: 0, description: 'What waits in quarantine' })
  quarantined: number;

  @ObjectField(() => FeedQuotaDto, {
    nullable: true,
    description: 'What its provider has told of calls that are left',
  })
  quota: FeedQuotaDto | null;

  @ObjectField(() => FeedPollDto, { list: true })
  polls: FeedPollDto[];
}

export class FeedDoubtParam {
  @UuidField()
  id: string;
}

export class FeedDoubtsQuery extends CursorQuery {
  @EnumField(QUARANTINE_STATES, { optional: true, description: 'Default `open`' })
  status?: QuarantineState;

  @TextField({
    optional: true,
    max: 60,
    pattern: /^[a-z0-9-]+$/,
    example: 'odds-api',
    description: 'Only of this feed',
  })
  source?: string;
}

export const DOUBT_DECISIONS = ['accept', 'dismiss'] as const;

export class DecideDoubtDto {
  @EnumField(DOUBT_DECISIONS, {
    description:
      '`accept` takes a score, a result or a start over as your own word; prices cannot be accepted',
  })
  decision: (typeof DOUBT_DECISIONS)[number];

  @TextField({ max: 500, example: 'The touchdown was overturned' })
  reason: string;
}

export class FeedDoubtDto {
  @UuidField()
  id: string;

  @TextField({ max: 60, example: 'odds-api' })
  source: string;

  @EnumField(QUARANTINE_KINDS, { example: 'score' })
  kind: QuarantineKind;

  @TextField({
    min: 0,
    max: 200,
    example: 'e912304de2b2ce35b473ce2ecd3d1502',
    description: "The game's id in the feed",
  })
  externalId: string;

  @UuidField({ nullable: true, description: 'The game, where it is known' })
  gameId: string | null;

  @EnumField(QUARANTINE_REASONS, { example: 'SCORE_BACKWARDS' })
  reason: QuarantineReason;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { home: 7, away: 3, from: [14, 3] },
    description: 'What it said, and what it contradicts',
  })
  details: Record<string, unknown>;

  @TimeField()
  firstSeenAt: string;

  @TimeField()
  lastSeenAt: string;

  @IntField({
    min: 1,
    example: 2,
    description: 'How often it was noted; what goes on is noted every 30 seconds',
  })
  times: number;

  @EnumField(QUARANTINE_STATES, { example: 'open' })
  status: QuarantineState;

  @UuidField({ nullable: true })
  decidedBy: string | null;

  @TimeField({ nullable: true })
  decidedAt: string | null;

  @TextField({ nullable: true, max: 500, example: null })
  decisionNote: string | null;
}
