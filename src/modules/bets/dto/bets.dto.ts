import {
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';
import { CursorQuery } from '../../../platform/http/pagination.js';

const OUTCOMES = ['home', 'away', 'over', 'under'] as const;
const ACCEPT = ['exact', 'better', 'any'] as const;
export const BET_STATES = ['placed', 'won', 'lost', 'push', 'void', 'half_won', 'half_lost'] as const;

export class PlaceBetDto {
  @UuidField()
  marketId: string;

  @EnumField(OUTCOMES)
  outcome: (typeof OUTCOMES)[number];

  @IntField({ min: 1, max: 1_000_000_000, example: 50, description: 'Credits' })
  stake: number;

  @UuidField({
    optional: true,
    description: 'The price that was shown; may be left out with acceptOdds `any`',
  })
  oddsId?: string;

  @EnumField(ACCEPT, {
    optional: true,
    description:
      'When that price is no longer current: `exact` (default) refuses, `better` takes one that pays at least as much, `any` takes any',
  })
  acceptOdds?: (typeof ACCEPT)[number];
}

export class BetOddsDto {
  @UuidField()
  oddsId: string;

  @IntField({ nullable: true, example: -110 })
  american: number | null;

  @TextField({ max: 20, example: '1.9091' })
  decimal: string;
}

export class PlacedBetDto {
  @TextField({ max: 20, example: '48213' })
  betId: string;

  @EnumField(['placed'])
  status: 'placed';

  @IntField({ min: 0, example: 950 })
  remainingCredits: number;

  @IntField({ min: 0, example: 95, description: 'Credits a win returns, stake included' })
  potentialPayout: number;

  @IntField({ min: 1, example: 50 })
  stake: number;

  @UuidField()
  marketId: string;

  @EnumField(OUTCOMES)
  outcome: string;

  @ObjectField(() => BetOddsDto, { description: 'The price taken; the bet keeps it for ever' })
  odds: BetOddsDto;

  @TimeField()
  placedAt: string;
}

export class BetsQuery extends CursorQuery {
  @TextField({ optional: true, max: 10, example: '2023-W40' })
  week?: string;

  @EnumField(BET_STATES, { optional: true })
  status?: (typeof BET_STATES)[number];
}

export class BetParam {
  @TextField({ max: 19, pattern: /^\d+$/, example: '48213' })
  id: string;
}

export class BetDto {
  @TextField({ max: 20, example: '48213' })
  id: string;

  @TextField({ max: 10, example: '2023-W40' })
  week: string;

  @UuidField()
  poolId: string;

  @UuidField()
  gameId: string;

  @UuidField()
  marketId: string;

  @EnumField(OUTCOMES)
  outcome: string;

  @ObjectField(() => BetOddsDto)
  odds: BetOddsDto;

  @IntField({ min: 1, example: 50 })
  stake: number;

  @IntField({ min: 0, example: 95 })
  potentialPayout: number;

  @EnumField(BET_STATES)
  status: string;

  @IntField({
    nullable: true,
    min: 0,
    example: 95,
    description: 'Credits returned; null while the bet is open',
  })
  payout: number | null;

  @TextField({ nullable: true, max: 60, example: 'TAKEN_AFTER_START', description: 'Why it is void' })
  reason: string | null;

  @TimeField()
  placedAt: string;

  @TimeField({ nullable: true })
  settledAt: string | null;
}
