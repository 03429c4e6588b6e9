import { ValidateIf } from 'class-validator';
import { IntField, TextField, TimeField, UuidField } from '../../../platform/http/fields.js';

export class UserParam {
  @UuidField()
  id: string;
}

export class SetStakeLimitDto {
  @ValidateIf(({ maxStake }: SetStakeLimitDto) => maxStake !== null)
  @IntField({
    nullable: true,
    min: 0,
    max: 1_000_000_000,
    example: 200,
    description: 'Credits that the user may have staked on one market at most; null: no limit of their own',
  })
  maxStake: number | null;

  @TextField({ max: 500, example: 'Bets on late prices only' })
  reason: string;
}

export class StakeLimitDto {
  @UuidField()
  userId: string;

  @IntField({ nullable: true, min: 0, example: 200 })
  maxStake: number | null;

  @TimeField({ nullable: true })
  updatedAt: string | null;
}
