import {
  BoolField,
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';
import {
  type LedgerProblem,
  type LedgerReport,
  VERIFICATION_STATES,
  type VerificationState,
  type VerifiedRule,
} from '../verify.types.js';

export class VerificationParam {
  @UuidField()
  id: string;
}

export class LedgerProblemDto implements LedgerProblem {
  @TextField({ max: 200, example: 'account user_available 01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e USD' })
  subject: string;

  @TextField({ max: 400, example: 'its balance is 1050, its entries sum to 1000' })
  problem: string;
}

export class VerifiedRuleDto implements VerifiedRule {
  @TextField({ max: 80, example: 'balances are the sums of their entries' })
  rule: string;

  @ObjectField(() => LedgerProblemDto, { list: true, description: 'The first of them' })
  problems: LedgerProblemDto[];

  @BoolField({ example: false, description: 'There are more problems than these' })
  more: boolean;
}

export class LedgerReportDto implements LedgerReport {
  @BoolField({ description: 'Every rule holds' })
  passed: boolean;

  @IntField({ min: 0, example: 1200 })
  accounts: number;

  @IntField({ min: 0, example: 48_213 })
  transfers: number;

  @IntField({ min: 0, example: 96_426 })
  entries: number;

  @IntField({ min: 0, example: 310 })
  holds: number;

  @IntField({ min: 0, example: 410, description: 'How long it took' })
  milliseconds: number;

  @ObjectField(() => VerifiedRuleDto, { list: true })
  rules: VerifiedRuleDto[];
}

export class LedgerVerificationDto {
  @UuidField()
  id: string;

  @EnumField(VERIFICATION_STATES, {
    example: 'done',
    description: 'failed: it could not be done, which says nothing of the ledger',
  })
  state: VerificationState;

  @UuidField()
  requestedBy: string;

  @TimeField()
  requestedAt: string;

  @TimeField({ nullable: true })
  startedAt: string | null;

  @TimeField({ nullable: true })
  finishedAt: string | null;

  @ObjectField(() => LedgerReportDto, { nullable: true, description: 'What was found, once it is done' })
  report: LedgerReport | null;
}
