import {
  BoolField,
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
} from '../../../platform/http/fields.js';

export class TimeOutDto {
  @IntField({ min: 1, max: 42, example: 7, description: 'Days, from now on' })
  days: number;
}

export class RestrictionDto {
  @EnumField(['time_out', 'self_exclusion'])
  kind: 'time_out' | 'self_exclusion';

  @TimeField()
  startsAt: string;

  @TimeField({ nullable: true, description: 'null: for ever' })
  endsAt: string | null;
}

export class ComplianceStatusDto {
  @BoolField({ description: 'Whether the caller may stake now' })
  mayStake: boolean;

  @TextField({
    nullable: true,
    max: 40,
    example: 'TIMED_OUT',
    description: 'The code a stake would be refused with',
  })
  refusal: string | null;

  @ObjectField(() => RestrictionDto, { list: true })
  restrictions: RestrictionDto[];
}
