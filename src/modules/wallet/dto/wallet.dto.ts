import { IntersectionType } from '@nestjs/swagger';
import {
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';
import { CursorQuery } from '../../../platform/http/pagination.js';

const MINOR = 'Minor units of the currency';
const CURRENCY = { max: 3, pattern: /^[A-Z]{3}$/, example: 'USD' };
const TYPE = { max: 40, pattern: /^[a-z][a-z0-9_.]*$/, example: 'deposit' };

/** Of a user's two accounts in a currency: what may be spent, and what is held for something under way. */
export const USER_ACCOUNTS = ['available', 'held'] as const;
export const HOLD_STATES = ['held', 'captured', 'released', 'expired'] as const;

export class BalanceDto {
  @TextField(CURRENCY)
  currency: string;

  @IntField({ min: 0, example: 10_500, description: `What can be spent or withdrawn. ${MINOR}` })
  available: number;

  @IntField({
    min: 0,
    example: 2000,
    description: `Held for what is under way, see GET wallet/holds. ${MINOR}`,
  })
  held: number;

  @IntField({ min: 0, example: 0, description: `Deposits that wait for their provider. ${MINOR}` })
  pending: number;
}

export class WalletDto {
  @ObjectField(() => BalanceDto, { list: true, description: 'One a currency, by its code' })
  balances: BalanceDto[];
}

/** What a statement is narrowed to. */
export class StatementQuery {
  @TextField({ ...TYPE, optional: true, description: 'Only this type' })
  type?: string;

  @TextField({ ...CURRENCY, optional: true, description: 'Only this currency' })
  currency?: string;

  @TimeField({ optional: true, description: 'Booked at this time or later' })
  from?: string;

  @TimeField({ optional: true, example: '2023-11-01T00:00:00Z', description: 'Booked before this time' })
  to?: string;
}

export class TransactionsQuery extends IntersectionType(StatementQuery, CursorQuery) {}

export class HoldsQuery extends CursorQuery {
  @EnumField(HOLD_STATES, { optional: true, description: 'Only in this state' })
  status?: (typeof HOLD_STATES)[number];
}

export class TransactionDto {
  @TextField({ max: 20, example: '48213' })
  id: string;

  @UuidField({
    description: 'The transfer that it is part of: one that holds money is a transaction of each account',
  })
  transferId: string;

  @TextField(TYPE)
  type: string;

  @EnumField(USER_ACCOUNTS)
  account: (typeof USER_ACCOUNTS)[number];

  @IntField({ example: 1050, description: `What it added; negative: took. ${MINOR}` })
  amount: number;

  @TextField(CURRENCY)
  currency: string;

  @IntField({ min: 0, example: 10_500, description: `What the account held after it. ${MINOR}` })
  balanceAfter: number;

  @TextField({
    max: 200,
    example: 'payment:01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e',
    description: 'What it was for',
  })
  reference: string;

  @UuidField({ nullable: true, description: 'The transfer that it takes back' })
  reverses: string | null;

  @TimeField({ description: 'When it was booked' })
  at: string;

  @TimeField({ description: 'When it took effect, which may be before it was booked' })
  effectiveAt: string;
}

export class HoldDto {
  @UuidField()
  id: string;

  @TextField({ max: 40, example: 'withdrawal' })
  purpose: string;

  @EnumField(HOLD_STATES)
  status: (typeof HOLD_STATES)[number];

  @IntField({ min: 1, example: 2000, description: `What was held at first. ${MINOR}` })
  amount: number;

  @IntField({ min: 0, example: 0, description: `What of it was taken. ${MINOR}` })
  captured: number;

  @IntField({ min: 0, example: 0, description: `What of it was given back. ${MINOR}` })
  released: number;

  @IntField({ min: 0, example: 2000, description: `What is held still. ${MINOR}` })
  remaining: number;

  @TextField(CURRENCY)
  currency: string;

  @TimeField({ nullable: true, description: 'When it is given back by itself' })
  expiresAt: string | null;

  @TimeField()
  createdAt: string;
}
