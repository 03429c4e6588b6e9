import {
  BoolField,
  EnumField,
  IntField,
  ListField,
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

  @TimeField({ nullable: true, description: 'Since when; null when nothing bars, or there is no such day' })
  since: string | null;

  @TimeField({
    nullable: true,
    description:
      'When it ends by itself, or when the term of an exclusion is over; null: nothing bars, or it does not end',
  })
  until: string | null;

  @TimeField({
    nullable: true,
    description: 'Of an exclusion: from when coming back may be asked for; null: never',
  })
  returnFrom: string | null;

  @TimeField({ nullable: true, description: 'When the return that was asked for takes effect' })
  returnsAt: string | null;

  @ListField('string', { example: ['read', 'withdraw', 'export', 'close_account', 'exclude'] })
  may: string[];

  @TextField({ max: 400, example: 'The time-out ends by itself. It cannot be ended before.' })
  advice: string;

  @ObjectField(() => RestrictionDto, { list: true })
  restrictions: RestrictionDto[];
}
