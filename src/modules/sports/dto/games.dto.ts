import { ApiProperty } from '@nestjs/swagger';
import {
  BoolField,
  DateField,
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';
import { CursorQuery } from '../../../platform/http/pagination.js';
import { MARKET_KINDS } from '../domain/markets.js';
import { PeriodsField, PropWinnersField } from './result-fields.js';

export const GAME_STATES = [
  'scheduled',
  'in_progress',
  'final',
  'postponed',
  'cancelled',
  'abandoned',
] as const;
const MARKET_STATES = ['open', 'suspended', 'closed', 'settled', 'voided'] as const;

export class GamesQuery extends CursorQuery {
  @TextField({ optional: true, max: 40, pattern: /^[a-z_]+$/, example: 'american_football' })
  sport?: string;

  @DateField({
    optional: true,
    description: 'Games that start on this day (config/sports.yml names the zone)',
  })
  date?: string;

  @TimeField({ optional: true, description: 'Games that start at or after this time' })
  from?: string;

  @TimeField({ optional: true, description: 'Games that start before this time' })
  to?: string;
}

export class PriceDto {
  @TextField({
    max: 60,
    example: 'home',
    description: "home, draw, away, over, under, or the key of a prop's outcome",
  })
  outcome: string;

  @UuidField({ description: 'Names this price for ever; send it back as oddsId to bet at it' })
  oddsId: string;

  @IntField({
    nullable: true,
    example: -110,
    description: 'American odds as the feed gave them; null when it gave decimal ones',
  })
  american: number | null;

  @TextField({ max: 20, example: '1.9091', description: 'Decimal odds to 4 places, for display' })
  decimal: string;
}

export class NamedOutcomeDto {
  @TextField({ max: 60, example: 'kelce' })
  key: string;

  @TextField({ max: 120, example: 'Travis Kelce' })
  label: string;
}

export class MarketDto {
  @UuidField()
  id: string;

  @EnumField(MARKET_KINDS)
  kind: string;

  @TextField({
    nullable: true,
    max: 10,
    example: '-3.50',
    description: 'Handicap of the home side, or the total; null for a moneyline',
  })
  line: string | null;

  @TextField({
    nullable: true,
    max: 60,
    example: null,
    description: 'The field of the result that decides a prop; null for other markets',
  })
  prop: string | null;

  @TextField({ nullable: true, max: 120, example: null, description: 'What a prop is' })
  title: string | null;

  @ObjectField(() => NamedOutcomeDto, {
    list: true,
    nullable: true,
    example: null,
    description: 'What can be bet on in a prop',
  })
  outcomes: NamedOutcomeDto[] | null;

  @IntField({
    min: 1,
    max: 100,
    example: 1,
    description: 'Winners that are expected; more of them share (dead heat)',
  })
  places: number;

  @IntField({
    nullable: true,
    min: 0,
    example: null,
    description: 'Credits that one player may have staked on it at most; null: the limits of every bet alone',
  })
  maxStake: number | null;

  @EnumField(MARKET_STATES)
  status: string;

  @ObjectField(() => PriceDto, { list: true, description: 'In the order in which outcomes are shown' })
  prices: PriceDto[];
}

export class GameDto {
  @UuidField()
  id: string;

  @TextField({ max: 40, example: 'american_football' })
  sport: string;

  @TextField({ max: 60, example: 'NFL' })
  league: string;

  @TextField({ max: 20, example: '2023' })
  season: string;

  @TextField({ max: 60, example: 'SF' })
  homeTeam: string;

  @TextField({ max: 60, example: 'DAL' })
  awayTeam: string;

  @BoolField({ example: false, description: 'Neither team is at home' })
  neutral: boolean;

  @TimeField({ description: 'The official start: no bet is taken from then on' })
  startsAt: string;

  @EnumField(GAME_STATES)
  status: string;

  @IntField({ nullable: true, min: 0, example: 42 })
  homeScore: number | null;

  @IntField({ nullable: true, min: 0, example: 10 })
  awayScore: number | null;

  @ApiProperty({
    type: 'array',
    nullable: true,
    items: { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 2 },
    example: [
      [14, 0],
      [7, 10],
      [14, 0],
      [7, 0],
    ],
    description: 'Scores by period, home before away; null where nobody tells them',
  })
  periods: [number, number][] | null;

  @BoolField({ example: true, description: 'The result stands and its bets are graded; false before that' })
  resultConfirmed: boolean;

  @TextField({ max: 80, example: '2023_05_DAL_SF', description: "The source's own id" })
  externalId: string;

  @IntField({ min: 1, example: 17, description: 'The number of its last change, as /odds counts them' })
  seq: number;

  @ObjectField(() => MarketDto, { list: true })
  markets: MarketDto[];
}

export class IdParam {
  @UuidField()
  id: string;
}

export class GameResultDto {
  @EnumField(['in_progress', 'final', 'cancelled', 'abandoned', 'postponed', 'walkover'], {
    example: 'final',
  })
  status: 'in_progress' | 'final' | 'cancelled' | 'abandoned' | 'postponed' | 'walkover';

  @IntField({ optional: true, min: 0, max: 2000, example: 42, description: 'Required when final' })
  homeScore?: number;

  @IntField({ optional: true, min: 0, max: 2000, example: 10, description: 'Required when final' })
  awayScore?: number;

  @IntField({
    optional: true,
    min: 0,
    max: 1000,
    description: 'Minutes played, of a game that goes on or was abandoned; needs both scores',
    example: 55,
  })
  minutesPlayed?: number;

  @PeriodsField()
  periods?: [number, number][];

  @PropWinnersField()
  props?: Record<string, string[]>;

  @TimeField({ optional: true, description: 'New start of a postponed game' })
  startsAt?: string;

  @TextField({
    optional: true,
    max: 500,
    example: 'Score corrected by the league',
    description: 'Kept in the audit log',
  })
  reason?: string;
}

export class MarketReasonDto {
  @TextField({ max: 500, example: 'Price obviously wrong' })
  reason: string;
}
