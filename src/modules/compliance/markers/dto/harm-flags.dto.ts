import { ApiProperty } from '@nestjs/swagger';
import {
  DateField,
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../../platform/http/fields.js';
import { CursorQuery } from '../../../../platform/http/pagination.js';
import { MARKERS, type MarkerName } from '../../domain/harm-markers.js';
import { FLAG_DECISIONS, FLAG_STATES, type FlagDecision, type FlagState } from '../markers.types.js';

export class HarmFlagParam {
  @UuidField()
  id: string;
}

export class HarmFlagsQuery extends CursorQuery {
  @EnumField(FLAG_STATES, { optional: true, description: 'Default `open`' })
  status?: FlagState;

  @UuidField({ optional: true, description: 'Only of this user' })
  userId?: string;

  @EnumField(MARKERS, { optional: true, description: 'Only with this marker' })
  marker?: MarkerName;

  @IntField({ optional: true, min: 1, max: 1000, query: true, description: 'Only of this score or more' })
  leastScore?: number;
}

export class DecideHarmFlagDto {
  @EnumField(FLAG_DECISIONS, {
    description:
      '`limited`: limits or a break were agreed; `referred`: to somebody who helps. It is a record: nothing happens to the user by it',
  })
  decision: FlagDecision;

  @TextField({
    max: 2000,
    example: 'Talked on the telephone; will set a deposit limit',
    description: 'What was done',
  })
  note: string;
}

export class HarmMarkerDto {
  @EnumField(MARKERS)
  marker: MarkerName;

  @IntField({ min: 0, example: 5, description: 'What was found: a count, or percent' })
  value: number;

  @IntField({ min: 1, example: 3, description: 'What it reached or passed' })
  threshold: number;

  @IntField({ min: 1, example: 3, description: 'What it adds to the score' })
  weight: number;

  @IntField({ min: 1, max: 28, example: 7, description: 'Days that were looked at' })
  days: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { chasing: 5, bets: 31 },
    description: 'The numbers that it comes from',
  })
  figures: Record<string, number>;
}

export class HarmFlagDto {
  @UuidField()
  id: string;

  @UuidField()
  userId: string;

  @TextField({ max: 20, example: 'ada' })
  handle: string;

  @EnumField(FLAG_STATES)
  status: FlagState;

  @DateField({ description: 'The day for which it was raised, in UTC' })
  firstDay: string;

  @DateField({ description: 'The day that its score is of' })
  day: string;

  @IntField({ min: 1, example: 5 })
  score: number;

  @ObjectField(() => HarmMarkerDto, { list: true })
  markers: HarmMarkerDto[];

  @TimeField()
  createdAt: string;

  @TimeField({ nullable: true })
  decidedAt: string | null;

  @UuidField({ nullable: true })
  decidedBy: string | null;

  @EnumField(FLAG_DECISIONS, { nullable: true })
  decision: FlagDecision | null;

  @TextField({ max: 2000, nullable: true, example: 'Talked on the telephone' })
  note: string | null;
}
