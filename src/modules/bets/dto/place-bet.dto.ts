import {
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';
import { OutcomeField } from '../../sports/outcome.decorator.js';

const ACCEPT = ['exact', 'better', 'any'] as const;
export type Accept = (typeof ACCEPT)[number];
export const BET_KINDS = ['single', 'parlay'] as const;
export type BetKind = (typeof BET_KINDS)[number];
const LEGS = { min: 2, max: 12 };
const MARKETS = ['01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e', '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d60'] as const;
const ODDS = ['01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5f', '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d61'] as const;
export class LegDto {
  @UuidField({ example: MARKETS[0] })
  marketId: string;

  @OutcomeField()
  outcome: string;

  @UuidField({ optional: true, example: ODDS[0], description: 'The price that was shown, as for a single' })
  oddsId?: string;
}

/** A single names its market and outcome, a parlay its legs; either says its stake or what it is to win. */
export class PlaceBetDto {
  @UuidField({ optional: true, example: MARKETS[0], description: 'Of a single, with `outcome`' })
  marketId?: string;

  @OutcomeField({ optional: true })
  outcome?: string;

  @UuidField({
    optional: true,
    example: ODDS[0],
    description: 'The price that was shown; may be left out with acceptOdds `any`',
  })
  oddsId?: string;

  @ObjectField(() => LegDto, {
    optional: true,
    alternative: true,
    list: true,
    ...LEGS,
    description: 'Of a parlay, in place of `marketId`: all must win, and no two are of one game',
    example: MARKETS.map((marketId, n) => ({ marketId, outcome: ['home', 'over'][n], oddsId: ODDS[n] })),
  })
  legs?: LegDto[];

  @IntField({ optional: true, min: 1, max: 1_000_000_000, example: 50, description: 'Credits' })
  stake?: number;

  @IntField({
    optional: true,
    alternative: true,
    min: 1,
    max: 1_000_000_000,
    example: 45,
    description:
      'In place of `stake`: credits to be won beside the stake. The smallest stake is taken that wins as much at the prices that are named, each of which is asked for',
  })
  toWin?: number;

  @EnumField(ACCEPT, {
    optional: true,
    description:
      'When that price is no longer current: `exact` (default) refuses, `better` takes one that pays at least as much, `any` takes any; leg by leg',
  })
  acceptOdds?: Accept;
}

export class BetOddsDto {
  @UuidField({ nullable: true, description: "Null for a parlay's, which is the product of its legs'" })
  oddsId: string | null;

  @IntField({ nullable: true, example: -110 })
  american: number | null;

  @TextField({ max: 40, example: '1.9091' })
  decimal: string;
}

export class PlacedLegDto {
  @UuidField()
  gameId: string;

  @UuidField()
  marketId: string;

  @OutcomeField()
  outcome: string;

  @ObjectField(() => BetOddsDto)
  odds: BetOddsDto;
}

export class PlacedBetDto {
  @TextField({ max: 20, example: '48213' })
  betId: string;

  @EnumField(BET_KINDS)
  kind: BetKind;

  @EnumField(['placed'])
  status: 'placed';

  @IntField({ min: 0, example: 950 })
  remainingCredits: number;

  @IntField({ min: 0, example: 95, description: 'Credits a win returns, stake included' })
  potentialPayout: number;

  @IntField({ min: 1, example: 50 })
  stake: number;

  @UuidField({ nullable: true, description: 'Null for a parlay, as `outcome`' })
  marketId: string | null;

  @OutcomeField({ nullable: true })
  outcome: string | null;

  @ObjectField(() => BetOddsDto, { description: 'The price taken; the bet keeps it for ever' })
  odds: BetOddsDto;

  @ObjectField(() => PlacedLegDto, {
    list: true,
    nullable: true,
    example: null,
    description: 'Null for a single',
  })
  legs: PlacedLegDto[] | null;

  @TimeField()
  placedAt: string;
}
