import { BoolField, IntField, ObjectField, TimeField } from '../../../platform/http/fields.js';
import { LEAST_MONTHS } from '../domain/exclusion-term.js';
import { ComplianceStatusDto } from './compliance-status.dto.js';

export class SelfExcludeDto {
  @IntField({
    optional: true,
    min: LEAST_MONTHS,
    max: 1200,
    example: 12,
    description: `For how long; ${LEAST_MONTHS} when nothing is said`,
  })
  months?: number;

  @BoolField({ optional: true, example: false, description: 'For ever, whatever `months` says' })
  permanent?: boolean;
}

export class SelfExclusionDto {
  @TimeField()
  since: string;

  @TimeField({
    nullable: true,
    description: 'When its term is over: it ends only once you ask to come back. null: never',
  })
  until: string | null;

  @IntField({
    min: 0,
    example: 2,
    description: 'Open bets on games that had not begun, which were given back',
  })
  refundedBets: number;

  @IntField({ min: 0, example: 150, description: 'Their stakes, in credits' })
  refundedCredits: number;

  @IntField({
    min: 0,
    example: 1,
    description: 'Open bets on games that had begun: they are settled and paid as usual',
  })
  standingBets: number;

  @ObjectField(() => ComplianceStatusDto)
  status: ComplianceStatusDto;
}
