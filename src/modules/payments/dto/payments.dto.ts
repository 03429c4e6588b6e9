import {
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
  BoolField,
} from '../../../platform/http/fields.js';
import { CursorQuery } from '../../../platform/http/pagination.js';
import { paymentMachine } from '../domain/payment-machine.js';
import { type PaymentPurpose, PURPOSES } from '../payments.types.js';

const CURRENCY = { max: 3, pattern: /^[A-Z]{3}$/, example: 'USD' };
const PROVIDER = { max: 32, pattern: /^[a-z][a-z0-9_-]*$/, example: 'sandbox' };

export class PaymentMoneyDto {
  @IntField({ min: 0, example: 1000, description: 'Minor units of the currency; some have none' })
  amount: number;

  @TextField(CURRENCY)
  currency: string;
}

/** By what one pays. */
class PaidByDto {
  @TextField(CURRENCY)
  currency: string;

  @TextField({ ...PROVIDER, optional: true, description: 'By default the first that takes the currency' })
  provider?: string;

  @TextField({
    max: 16,
    pattern: /^\+[1-9]\d{6,14}$/,
    example: '+256772123456',
    optional: true,
    description: 'The number that pays, in E.164: of mobile money only',
  })
  phone?: string;
}

export class StartDepositDto extends PaidByDto {
  @IntField({ min: 1, example: 2500, description: 'Minor units of the currency; some have none' })
  amount: number;
}

export class StartCheckoutDto extends PaidByDto {
  @EnumField(PURPOSES)
  purpose: PaymentPurpose;

  @IntField({
    min: 1,
    example: 1000,
    optional: true,
    description: 'Minor units. Of a deposit: how much. Of what has a price: that price, or nothing',
  })
  amount?: number;
}

export class CheckoutDto {
  @UuidField()
  paymentId: string;

  @EnumField(PURPOSES)
  purpose: PaymentPurpose;

  @ObjectField(() => PaymentMoneyDto)
  amount: PaymentMoneyDto;

  @TextField(PROVIDER)
  provider: string;

  @TextField({
    max: 4000,
    nullable: true,
    example: 'https://pay.example.com/c/9f1c',
    description: 'Where the payer goes to pay; null when they confirm on their phone',
  })
  redirectUrl: string | null;

  @TimeField()
  createdAt: string;
}

export class PaymentParam {
  @UuidField()
  id: string;
}

export class PaymentsQuery extends CursorQuery {
  @EnumField(paymentMachine.states, { optional: true, description: 'Only in this state' })
  status?: string;

  @EnumField(PURPOSES, { optional: true, description: 'Only for this' })
  purpose?: PaymentPurpose;
}

export class PaymentDto {
  @UuidField()
  id: string;

  @EnumField(PURPOSES)
  purpose: PaymentPurpose;

  @TextField({
    max: 100,
    nullable: true,
    example: '202340',
    description: 'What was bought; null of a deposit',
  })
  subject: string | null;

  @ObjectField(() => PaymentMoneyDto, { description: 'What was ordered' })
  amount: PaymentMoneyDto;

  @ObjectField(() => PaymentMoneyDto, { nullable: true, description: 'What came; null when nothing has' })
  paid: PaymentMoneyDto | null;

  @ObjectField(() => PaymentMoneyDto, {
    nullable: true,
    description: 'What has gone back of it; null when nothing came',
  })
  refunded: PaymentMoneyDto | null;

  @TextField(PROVIDER)
  provider: string;

  @EnumField(paymentMachine.states, {
    example: 'succeeded',
    description:
      'Final only when money has come, or has gone back: one that failed, expired or was cancelled succeeds when its money comes after all',
  })
  status: string;

  @TextField({ max: 100, nullable: true, example: 'card_declined', description: 'Why it failed' })
  failureCode: string | null;

  @TextField({ max: 4000, nullable: true, example: null, description: 'Where to pay, while it is open' })
  redirectUrl: string | null;

  @TimeField()
  createdAt: string;

  @TimeField({ nullable: true, description: 'When its money was booked' })
  confirmedAt: string | null;
}

export class SubscriptionDto {
  @UuidField()
  id: string;

  @EnumField(['active', 'past_due', 'cancelled'], {
    description: 'past_due: the last renewal was not paid, and the provider tries again',
  })
  status: string;

  @TextField(PROVIDER)
  provider: string;

  @ObjectField(() => PaymentMoneyDto, { description: 'Of one period' })
  amount: PaymentMoneyDto;

  @TimeField({ description: 'Until when it is paid' })
  periodEnd: string;

  @BoolField({ example: false, description: 'It ends then and is not renewed' })
  cancelAtPeriodEnd: boolean;

  @TimeField()
  createdAt: string;
}
