import {
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';
import { CursorQuery } from '../../../platform/http/pagination.js';

const STATES = ['running', 'done', 'superseded'] as const;

export class SettlementParam {
  @UuidField()
  id: string;
}

export class SettleWeekParam {
  @TextField({ max: 10, example: '2023-W40' })
  id: string;
}

export class SettlementsQuery extends CursorQuery {
  @UuidField({ optional: true, description: 'Settlements of this game' })
  gameId?: string;

  @EnumField(STATES, { optional: true })
  status?: string;
}

export class SettlementDto {
  @UuidField()
  id: string;

  @UuidField()
  gameId: string;

  @IntField({
    min: 1,
    example: 1,
    description: 'The version of the result it goes by; a correction makes the next',
  })
  resultVersion: number;

  @EnumField(['settle', 'resettle', 'cancel'], {
    description:
      'Whether it grades for the first time, grades otherwise than the one before, or cancels: all that it changes, it voids',
  })
  kind: string;

  @EnumField(STATES, { description: 'superseded: a newer version of the result came before it was done' })
  status: string;

  @IntField({ min: 0 })
  chunksDone: number;

  @IntField({ min: 0 })
  chunksTotal: number;

  @IntField({ min: 0, description: 'Bets and legs of parlays in the chunks that are done' })
  betsDone: number;

  @IntField({ min: 0 })
  betsLeft: number;

  @IntField({ min: 0 })
  betsTotal: number;

  @IntField({ min: 0, example: 21_000, description: 'Since it began' })
  betsPerSecond: number;

  @TimeField({ description: 'When it began' })
  createdAt: string;

  @TimeField({ nullable: true, description: 'When its last chunk was done' })
  completedAt: string | null;
}

export class ChunkErrorDto {
  @IntField({ min: 1 })
  number: number;

  @IntField({ min: 1, description: 'That have failed' })
  attempts: number;

  @TextField({
    max: 300,
    example: '23514 pool_members pool_members_bets_open_check',
    description: 'What the last one met: SQLSTATE, table and constraint',
  })
  error: string;
}

export class SettlementDetailDto extends SettlementDto {
  @ObjectField(() => ChunkErrorDto, {
    list: true,
    description: 'Chunks that have failed and are not done; they are taken up again by themselves',
  })
  errors: ChunkErrorDto[];
}
