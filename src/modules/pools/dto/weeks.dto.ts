import {
  BoolField,
  EnumField,
  IntField,
  ListField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';

const SHA256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const CURSOR = 'MDE5MzJjMDctOGYyYS03YjNlLTlkNTEtMmY2ZjBhMWM0ZDVl';
const WEEK_STATES = ['open', 'grouped', 'closed', 'settled'] as const;

export class WeekParam {
  @TextField({ max: 10, example: '2023-W40', description: '2023-W40, 202340 or current' })
  id: string;
}

export class PoolParam {
  @TextField({ max: 10, example: '2023-W40' })
  id: string;

  @UuidField()
  poolId: string;
}

export class WeekDto {
  @TextField({ max: 10, example: '2023-W40' })
  id: string;

  @EnumField(WEEK_STATES)
  status: string;

  @TimeField()
  startsAt: string;

  @TimeField({ description: 'Games that start before this count for the week' })
  endsAt: string;

  @TimeField({ description: 'Joining this week ends, and its players are drawn into pools' })
  locksAt: string;

  @TimeField()
  nextWeekStartsAt: string;

  @TimeField({ description: 'Last instant of this week in which one may buy back' })
  buyBackUntil: string;

  @TextField({ max: 64, example: SHA256, description: "SHA-256 of the draw's seed" })
  seedHash: string;

  @IntField({ nullable: true, example: 230, description: 'Players drawn; null before the draw' })
  players: number | null;

  @TimeField({ nullable: true })
  settledAt: string | null;
}

export class TableRowDto {
  @IntField({ min: 1, example: 1, description: 'Equal credits share a rank: 1, 2, 2, 4' })
  rank: number;

  @UuidField()
  userId: string;

  @TextField({ max: 20, example: 'ada' })
  handle: string;

  @IntField({ example: 1450, description: 'Credits, less what is owed after a correction' })
  credits: number;

  @IntField({ min: 0, example: 800 })
  staked: number;

  @IntField({ min: 0, example: 1250 })
  paidOut: number;

  @IntField({ min: 0, example: 12 })
  betsPlaced: number;

  @IntField({ min: 0, example: 2, description: 'Bets that are not graded yet' })
  betsOpen: number;
}

export class MemberDto {
  @UuidField()
  userId: string;

  @TextField({ max: 20, example: 'ada' })
  handle: string;

  @IntField({ min: 1, example: 17, description: 'Place in the whole draw of the week' })
  drawPosition: number;
}

export class PoolSummaryDto {
  @UuidField()
  id: string;

  @TextField({ max: 20, example: 'W2023-40-A' })
  name: string;

  @IntField({ min: 1, example: 77 })
  size: number;
}

export class DrawQuery {
  @IntField({
    optional: true,
    query: true,
    min: 1,
    max: 10_000,
    example: 1000,
    description: 'Entries of this page (default 1000)',
  })
  limit?: number;

  @TextField({ optional: true, max: 500 })
  cursor?: string;
}

export class DrawEntryDto {
  @UuidField()
  userId: string;

  @IntField({ min: 1 })
  drawPosition: number;

  @TextField({ max: 20, example: 'W2023-40-A' })
  pool: string;
}

export class DrawDto {
  @TextField({ max: 10, example: '2023-W40' })
  week: string;

  @TextField({ max: 60, example: 'fisher-yates-hmac-sha256', description: 'How to replay it: docs/draw.md' })
  algorithm: string;

  @TextField({ max: 64, example: SHA256, description: 'SHA-256 of the seed, published when the week opened' })
  seedHash: string;

  @TextField({
    nullable: true,
    max: 64,
    example: SHA256,
    description: 'The seed in hexadecimal; null before the draw',
  })
  seed: string | null;

  @TextField({
    nullable: true,
    max: 64,
    example: SHA256,
    description: 'SHA-256 of the sorted user ids joined by newlines',
  })
  entriesHash: string | null;

  @IntField({ nullable: true, min: 0 })
  entriesCount: number | null;

  @TextField({ nullable: true, max: 10, example: 'even' })
  fill: string | null;

  @IntField({ nullable: true, min: 1, example: 100 })
  maxSize: number | null;

  @ObjectField(() => DrawEntryDto, {
    list: true,
    description: 'Entries by user id: the order in which they were hashed',
  })
  entries: DrawEntryDto[];

  @TextField({
    nullable: true,
    max: 500,
    example: CURSOR,
    description: 'Where the next page begins; null on the last',
  })
  nextCursor: string | null;
}

export class PrizeDto {
  @UuidField()
  userId: string;

  @TextField({ max: 20, example: 'ada' })
  handle: string;

  @ListField('integer', { example: [1], description: 'The places whose prizes are shared' })
  places: number[];

  @IntField({ min: 0, example: 50_000, description: 'Minor units' })
  amount: number;

  @TextField({ max: 3, example: 'USD' })
  currency: string;
}

export class GrantPassDto {
  @EnumField(['week_pass', 'buy_back'])
  kind: 'week_pass' | 'buy_back';

  @TextField({
    optional: true,
    max: 10,
    example: '2023-W40',
    description: 'The next week that can be joined when absent',
  })
  week?: string;
}

export class GrantedPassDto {
  @EnumField(['week_pass', 'buy_back'])
  kind: string;

  @UuidField()
  userId: string;

  @TextField({ max: 10, example: '2023-W40', description: 'The week it counts for' })
  week: string;

  @BoolField({
    example: false,
    description: 'The week asked for is drawn already: the pass counts for the next one',
  })
  movedToNextWeek: boolean;

  @IntField({ nullable: true, example: 1000, description: 'Credits after a buy-back' })
  credits: number | null;
}
