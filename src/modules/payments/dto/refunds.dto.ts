import {
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';
import { CursorQuery } from '../../../platform/http/pagination.js';
import { PaymentDto, PaymentMoneyDto } from './payments.dto.js';

export class RefundPaymentDto {
  @IntField({
    min: 1,
    example: 500,
    optional: true,
    description: 'Minor units; all that is left when absent',
  })
  amount?: number;

  @TextField({ max: 500, example: 'Paid twice by mistake' })
  reason: string;
}

export class RefundDto {
  @UuidField()
  id: string;

  @UuidField()
  paymentId: string;

  @ObjectField(() => PaymentMoneyDto)
  amount: PaymentMoneyDto;

  @EnumField(['requested', 'pending', 'succeeded', 'failed'])
  status: string;

  @TextField({ max: 500, example: 'Paid twice by mistake' })
  reason: string;

  @TextField({ max: 100, nullable: true, example: null, description: 'Why it failed' })
  failureCode: string | null;

  @TimeField()
  createdAt: string;

  @TimeField({ nullable: true })
  completedAt: string | null;
}

export class DisputeDto {
  @UuidField()
  id: string;

  @ObjectField(() => PaymentMoneyDto)
  amount: PaymentMoneyDto;

  @EnumField(['won', 'lost'], { nullable: true, description: 'Null while it is open' })
  outcome: 'won' | 'lost' | null;

  @IntField({
    min: 0,
    example: 1800,
    description: 'Minor units that were taken from where the money was put',
  })
  charged: number;

  @IntField({
    min: 0,
    example: 700,
    description: 'Minor units that were not there any more: what the user owes',
  })
  owed: number;

  @TimeField()
  openedAt: string;

  @TimeField({ nullable: true })
  closedAt: string | null;
}

export class AdminPaymentDto extends PaymentDto {
  @UuidField()
  userId: string;

  @TextField({ max: 200, nullable: true, example: 'cs_9f1c', description: "The provider's name for it" })
  providerReference: string | null;

  @TextField({
    max: 100,
    nullable: true,
    example: null,
    description: 'Why its money stands aside and has bought nothing',
  })
  review: string | null;

  @ObjectField(() => RefundDto, { list: true })
  refunds: RefundDto[];

  @ObjectField(() => DisputeDto, { list: true })
  disputes: DisputeDto[];
}

export const DIFFERENCES = ['unknown_here', 'missing_there', 'not_booked', 'amount_differs'] as const;

export class DifferencesQuery extends CursorQuery {
  @EnumField(['open', 'resolved'], { optional: true, description: 'Only these (default open)' })
  status?: 'open' | 'resolved';
}

export class DifferenceDto {
  @UuidField()
  id: string;

  @TextField({ max: 32, example: 'sandbox' })
  provider: string;

  @EnumField(DIFFERENCES, {
    description:
      'unknown_here: the provider lists money of no payment of ours · missing_there: it does not list one that we booked · ' +
      'not_booked: it lists money that we have not booked · amount_differs',
  })
  kind: string;

  @TextField({
    max: 200,
    example: 'cs_9f1c',
    description: "The provider's reference, or our id where it has none",
  })
  reference: string;

  @UuidField({ nullable: true })
  paymentId: string | null;

  @IntField({ nullable: true, example: 1000, description: 'Minor units, in our books' })
  ours: number | null;

  @IntField({ nullable: true, example: 900, description: "Minor units, in the provider's" })
  theirs: number | null;

  @TextField({ max: 3, nullable: true, example: 'USD' })
  currency: string | null;

  @TimeField()
  foundAt: string;

  @TimeField({ nullable: true, description: 'When the books came to agree, or an operator closed it' })
  resolvedAt: string | null;

  @TextField({ max: 500, nullable: true, example: null })
  note: string | null;
}

export class ResolveDifferenceDto {
  @TextField({ max: 500, example: 'Paid at the counter, booked by hand' })
  note: string;
}
