import {
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';
import { CursorQuery } from '../../../platform/http/pagination.js';
import { BET_KINDS, type BetKind, BetOddsDto } from './place-bet.dto.js';

const RESULTS = ['won', 'lost', 'push', 'void', 'half_won', 'half_lost'] as const;
const BET_STATES = ['placed', ...RESULTS, 'cancelled'] as const;
const LEG_STATES = ['placed', ...RESULTS] as const;
/** Of a query: `open` is `placed`, `settled` every result. */
const BET_FILTERS = ['open', 'settled', ...BET_STATES] as const;

export class BetsQuery extends CursorQuery {
  @TextField({ optional: true, max: 10, example: '2023-W40' })
  week?: string;

  @EnumField(BET_FILTERS, {
    optional: true,
    description: '`open` is `placed`; `settled` is every result, but not `cancelled`',
  })
  status?: (typeof BET_FILTERS)[number];

  @EnumField(BET_KINDS, { optional: true })
  kind?: BetKind;

  @UuidField({ optional: true, description: 'Bets on this game, parlays with a leg on it included' })
  gameId?: string;

  @TimeField({ optional: true, description: 'Bets placed at or after this time' })
  from?: string;

  @TimeField({ optional: true, description: 'Bets placed before this time' })
  to?: string;
}

export class BetParam {
  @TextField({ max: 19, pattern: /^\d+$/, example: '48213' })
  id: string;
}

export class BetLegDto {
  @UuidField()
  gameId: string;

  @UuidField()
  marketId: string;

  @TextField({ max: 60, example: 'home' })
  outcome: string;

  @ObjectField(() => BetOddsDto)
  odds: BetOddsDto;

  @EnumField(LEG_STATES)
  status: string;

  @TextField({ nullable: true, max: 60, example: 'GAME_CANCELLED' })
  reason: string | null;
}

export class BetDto {
  @TextField({ max: 20, example: '48213' })
  id: string;

  @TextField({ max: 10, example: '2023-W40' })
  week: string;

  @UuidField()
  poolId: string;

  @EnumField(BET_KINDS)
  kind: BetKind;

  @UuidField({ nullable: true, description: 'Null for a parlay, as `marketId` and `outcome`' })
  gameId: string | null;

  @UuidField({ nullable: true })
  marketId: string | null;

  @TextField({ nullable: true, max: 60, example: 'home' })
  outcome: string | null;

  @ObjectField(() => BetOddsDto)
  odds: BetOddsDto;

  @ObjectField(() => BetLegDto, {
    list: true,
    nullable: true,
    example: null,
    description: 'Null for a single',
  })
  legs: BetLegDto[] | null;

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
    description: 'Credits returned; null while the bet is open, and of one that was cancelled',
  })
  payout: number | null;

  @TextField({
    nullable: true,
    max: 60,
    example: 'TAKEN_AFTER_START',
    description: 'Why it is void, or cancelled',
  })
  reason: string | null;

  @TimeField()
  placedAt: string;

  @TimeField({ nullable: true })
  settledAt: string | null;
}
