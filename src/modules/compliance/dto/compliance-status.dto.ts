import {
  BoolField,
  EnumField,
  IntField,
  ListField,
  ObjectField,
  TextField,
  TimeField,
} from '../../../platform/http/fields.js';
import {
  OPERATION_CLASSES,
  type OperationClass,
  type Product,
  PRODUCTS,
} from '../../../platform/security/operates.decorator.js';

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

export class PlaceDto {
  @TextField({ nullable: true, max: 2, example: 'US', description: 'ISO 3166; null: nobody can tell' })
  country: string | null;

  @TextField({
    nullable: true,
    max: 3,
    example: 'CO',
    description: 'Its ISO 3166-2 code without the country',
  })
  region: string | null;
}

export class AllowedDto {
  @EnumField(OPERATION_CLASSES, { example: 'stake' })
  operation: OperationClass;

  @EnumField(PRODUCTS, { nullable: true, example: 'pools', description: 'null: whatever the place allows' })
  product: Product | null;

  @BoolField()
  allowed: boolean;

  @TextField({ nullable: true, max: 40, example: 'GEO_BLOCKED', description: 'The code it is refused with' })
  refusal: string | null;

  @TextField({ nullable: true, max: 200, example: 'The place does not allow matches.' })
  reason: string | null;

  @TimeField({ nullable: true, description: 'When that ends by itself; null: it does not, or nobody knows' })
  until: string | null;
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

  @ObjectField(() => PlaceDto, { description: 'Where the caller is, as far as can be told' })
  place: PlaceDto;

  @IntField({ min: 0, max: 150, example: 18, description: 'Years, below which nobody plays there' })
  minimumAge: number;

  @BoolField({ description: 'Whether somebody has seen proof of the date of birth' })
  ageVerified: boolean;

  @ObjectField(() => AllowedDto, { list: true, description: 'What is allowed there and now, and what not' })
  operations: AllowedDto[];
}
