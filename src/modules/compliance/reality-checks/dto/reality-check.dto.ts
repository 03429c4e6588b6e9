import {
  BoolField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../../platform/http/fields.js';

const MINOR = 'Minor units';

export class ChooseRealityCheckDto {
  @IntField({ min: 5, max: 1440, example: 30, description: 'Minutes between reality checks' })
  minutes: number;
}

export class CreditsPlayDto {
  @IntField({ min: 0, example: 4, description: 'Bets placed' })
  bets: number;

  @IntField({ min: 0, example: 200 })
  staked: number;

  @IntField({
    min: 0,
    example: 95,
    description: 'Paid out meanwhile: winnings with their stakes, stakes given back',
  })
  won: number;

  @IntField({ example: -105, description: 'Won less staked; what is still open counts as lost' })
  net: number;
}

export class MoneyPlayDto {
  @TextField({ min: 3, max: 3, example: 'USD' })
  currency: string;

  @IntField({ min: 0, example: 1000, description: `Passes, subscriptions and buy-backs bought. ${MINOR}` })
  staked: number;

  @IntField({ example: 0, description: `Prizes, less those taken back. ${MINOR}` })
  won: number;

  @IntField({ example: -1000, description: `Won less staked. ${MINOR}` })
  net: number;

  @IntField({ min: 0, example: 5000, description: `Paid into the wallet. ${MINOR}` })
  paidIn: number;
}

export class SessionPlayDto {
  @UuidField({ description: 'The session' })
  id: string;

  @TimeField()
  beganAt: string;

  @IntField({ min: 0, example: 60, description: 'Since it began, whether or not it was used' })
  minutes: number;

  @IntField({ min: 0, example: 58, description: 'From its begin to its last use' })
  activeMinutes: number;

  @TimeField({ description: 'From when on is counted what follows: its begin, but 31 days at most' })
  countedFrom: string;

  @ObjectField(() => CreditsPlayDto)
  credits: CreditsPlayDto;

  @ObjectField(() => MoneyPlayDto, { list: true, description: 'One a currency that was used' })
  money: MoneyPlayDto[];
}

export class RealityCheckDto {
  @BoolField({
    example: false,
    description: 'One waits: nothing can be staked or paid in before it is acknowledged',
  })
  due: boolean;

  @TimeField({ description: 'When the next one is due, or the one that waits was' })
  dueAt: string;

  @IntField({ min: 5, max: 1440, example: 30, description: 'Minutes between them' })
  everyMinutes: number;

  @IntField({ nullable: true, min: 5, max: 1440, example: 30, description: 'Minutes that the caller chose' })
  chosenMinutes: number | null;

  @IntField({ min: 5, max: 1440, example: 60, description: 'Minutes that are allowed where the caller is' })
  maximumMinutes: number;

  @ObjectField(() => SessionPlayDto)
  session: SessionPlayDto;
}
