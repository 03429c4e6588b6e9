import { EnumField, IntField, TextField, TimeField, UuidField } from '../../../../platform/http/fields.js';
import { CursorQuery } from '../../../../platform/http/pagination.js';
import { WITHDRAWAL_STATES, type WithdrawalState } from '../../domain/withdrawal-machine.js';

const MINOR = 'Minor units of the currency';
const CURRENCY = { max: 3, pattern: /^[A-Z]{3}$/, example: 'USD' };
const PROVIDER = { max: 40, pattern: /^[a-z][a-z_-]*$/, example: 'sandbox' };
export const DECISIONS = ['approve', 'reject'] as const;

export class RequestWithdrawalDto {
  @IntField({ min: 1, example: 5000, description: MINOR })
  amount: number;

  @TextField(CURRENCY)
  currency: string;

  @TextField(PROVIDER)
  provider: string;

  @TextField({
    max: 200,
    pattern: /^[\x21-\x7e]+$/,
    example: 'sandbox:paid',
    description:
      'What the provider pays to: an account of its own, or a telephone number in E.164 where it needs one',
  })
  destination: string;
}

export class WithdrawalDto {
  @UuidField()
  id: string;

  @IntField({ min: 1, example: 5000, description: MINOR })
  amount: number;

  @TextField(CURRENCY)
  currency: string;

  @TextField(PROVIDER)
  provider: string;

  @TextField({ max: 200, nullable: true, example: '…paid', description: 'The end of it' })
  destination: string | null;

  @EnumField(WITHDRAWAL_STATES, { description: '`requested` waits for an operator' })
  status: WithdrawalState;

  @TextField({ max: 100, nullable: true, example: 'account_closed', description: "The provider's reason" })
  failureCode: string | null;

  @TimeField()
  requestedAt: string;

  @TimeField({ nullable: true })
  decidedAt: string | null;

  @TimeField({ nullable: true, description: 'When it was paid, or came to another end' })
  settledAt: string | null;
}

export class AdminWithdrawalDto extends WithdrawalDto {
  @UuidField()
  userId: string;

  @UuidField({ nullable: true, description: 'Null: by the rules' })
  decidedBy: string | null;

  @TextField({ max: 1000, nullable: true, example: 'Identity checked' })
  note: string | null;

  @TextField({
    max: 200,
    nullable: true,
    example: 'paid_differs',
    description: 'What does not fit, or why it was held back',
  })
  review: string | null;
}

export class WithdrawalParam {
  @UuidField()
  id: string;
}

export class AdminWithdrawalsQuery extends CursorQuery {
  @EnumField(WITHDRAWAL_STATES, { optional: true, description: 'Default `requested`' })
  status?: WithdrawalState;

  @EnumField(['open'], { optional: true, description: 'Those that have one, in whatever state' })
  review?: 'open';
}

export class DecideWithdrawalDto {
  @EnumField(DECISIONS)
  decision: (typeof DECISIONS)[number];

  @TextField({ max: 1000, example: 'Identity checked', description: 'Why; for operators' })
  note: string;
}
