import { EnumField, IntField, TextField, TimeField, UuidField } from '../../../platform/http/fields.js';

export class SettlementParam {
  @UuidField()
  id: string;
}

export class SettleWeekParam {
  @TextField({ max: 10, example: '2023-W40' })
  id: string;
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

  @EnumField(['running', 'done', 'superseded'])
  status: string;

  @IntField({ min: 0 })
  chunksDone: number;

  @IntField({ min: 0 })
  chunksTotal: number;

  @IntField({ min: 0 })
  betsDone: number;

  @IntField({ min: 0 })
  betsTotal: number;

  @TimeField()
  createdAt: string;

  @TimeField({ nullable: true })
  completedAt: string | null;
}
