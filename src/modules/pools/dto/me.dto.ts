import {
  BoolField,
  EnumField,
  IntField,
  ObjectField,
  TextField,
  UuidField,
} from '../../../platform/http/fields.js';
import { ROLES } from '../../../platform/security/subject.js';
import { TableRowDto, WeekDto } from './weeks.dto.js';

export class MeUserDto {
  @UuidField()
  id: string;

  @TextField({ max: 254, format: 'email', example: 'ada@example.com', nullable: true })
  email: string | null;

  @TextField({ max: 20, example: 'ada' })
  handle: string;

  @TextField({ max: 60, example: 'Ada Lovelace' })
  displayName: string;

  @EnumField(ROLES)
  role: string;

  @BoolField({ description: 'Whether the terms are accepted in their current version' })
  termsAccepted: boolean;
}

export class MyPoolDto {
  @UuidField()
  id: string;

  @TextField({ max: 20, example: 'W2023-40-A' })
  name: string;

  @IntField({ min: 1, example: 77 })
  size: number;

  @IntField({ min: 0, example: 850, description: 'Credits that can be staked' })
  credits: number;

  @IntField({
    min: 0,
    example: 0,
    description: 'Credits owed after a correction; the next payouts repay them first',
  })
  debt: number;

  @IntField({ min: 0, example: 150 })
  staked: number;

  @IntField({ min: 0, example: 0 })
  paidOut: number;

  @IntField({ min: 0, example: 3 })
  betsPlaced: number;

  @IntField({ min: 0, example: 3 })
  betsOpen: number;
}

export class NextWeekDto {
  @TextField({ max: 10, example: '2023-W41' })
  id: string;

  @BoolField({ description: 'Whether the caller holds a pass or a subscription for it' })
  registered: boolean;
}

export class MeDto {
  @ObjectField(() => MeUserDto)
  user: MeUserDto;

  @ObjectField(() => WeekDto)
  week: WeekDto;

  @ObjectField(() => MyPoolDto, {
    nullable: true,
    description: 'null: the caller plays in no pool this week',
  })
  pool: MyPoolDto | null;

  @ObjectField(() => NextWeekDto)
  nextWeek: NextWeekDto;
}

export class MyTableDto {
  @ObjectField(() => MyPoolDto)
  pool: MyPoolDto;

  @IntField({ min: 1, example: 12 })
  rank: number;

  @ObjectField(() => TableRowDto, { list: true, description: 'The top of the table' })
  top: TableRowDto[];

  @ObjectField(() => TableRowDto, { list: true, description: 'The caller with the rows around' })
  around: TableRowDto[];
}
