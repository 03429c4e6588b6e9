import { EnumField, IntField, ObjectField, TextField, TimeField } from '../../../platform/http/fields.js';
import { MarketKindField } from '../../sports/outcome.decorator.js';
import { BET_KINDS, type BetKind } from './place-bet.dto.js';

const CODE = '202340-48213-q2V4kHq0iT1cZp8Yw3aJmA';

export class ShareParam {
  @TextField({ max: 60, example: CODE })
  code: string;
}

export class SharedLegDto {
  @TextField({ max: 40, example: 'american_football' })
  sport: string;

  @TextField({ max: 60, example: 'NFL' })
  league: string;

  @TextField({ max: 60, example: 'SF' })
  homeTeam: string;

  @TextField({ max: 60, example: 'DAL' })
  awayTeam: string;

  @TimeField()
  startsAt: string;

  @MarketKindField()
  market: string;

  @TextField({ nullable: true, max: 10, example: null })
  line: string | null;

  @TextField({ nullable: true, max: 200, example: null, description: 'Of a prop' })
  title: string | null;

  @TextField({ max: 60, example: 'home' })
  outcome: string;

  @TextField({
    nullable: true,
    max: 200,
    example: null,
    description: 'What a prop calls its outcome',
  })
  outcomeLabel: string | null;

  @TextField({ max: 40, example: '1.9091' })
  decimal: string;

  @IntField({ nullable: true, example: -110 })
  american: number | null;

  @TextField({ max: 20, example: 'placed' })
  status: string;
}

export class SharedBetDto {
  @TextField({
    nullable: true,
    max: 20,
    example: 'ada',
    description: 'Of who placed it; null once they have left',
  })
  handle: string | null;

  @EnumField(BET_KINDS)
  kind: BetKind;

  @TextField({ max: 40, example: '1.9091' })
  decimal: string;

  @IntField({ nullable: true, min: 1, example: 50, description: 'Credits; null where stakes are not shown' })
  stake: number | null;

  @TextField({ max: 20, example: 'placed' })
  status: string;

  @TimeField()
  placedAt: string;

  @ObjectField(() => SharedLegDto, { list: true, description: 'One of a single' })
  legs: SharedLegDto[];
}

export class ShareDto {
  @TextField({
    max: 60,
    example: CODE,
    description: 'For GET shared-bets/{code}: works for ever, and for this bet only',
  })
  code: string;

  @TextField({ max: 300, example: `https://app.example.com/shared-bets/${CODE}` })
  url: string;

  @ObjectField(() => SharedBetDto, { description: 'What anybody with the code is shown' })
  card: SharedBetDto;
}
