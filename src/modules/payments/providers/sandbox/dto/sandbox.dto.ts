import { BoolField, IntField, TextField, TimeField } from '../../../../../platform/http/fields.js';

const ID = { max: 60, pattern: /^sbx_[a-z]+_[\w-]+$/, example: 'sbx_co_3nX0cUq5Yp1vWm2sZt7aRb4K' };
const REFERENCE = { max: 100, pattern: /^[\w:.-]+$/, example: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e' };
const CURRENCY = { max: 3, pattern: /^[A-Z]{3}$/, example: 'USD' };

/** What is the same of all that moves money: the merchant's reference, under which it is done once. */
class OrderDto {
  @TextField(REFERENCE)
  merchantReference: string;

  @IntField({ min: 1, example: 1050 })
  amount: number;

  @TextField(CURRENCY)
  currency: string;
}

export class CreateCheckoutDto extends OrderDto {
  @BoolField()
  recurring: boolean;

  @TextField({ max: 200, example: 'Week pass' })
  description: string;

  @TextField({ max: 2000, pattern: /^https?:\/\/\S+$/, example: 'https://app.example.com/paid' })
  returnUrl: string;
}

export class CreateRefundDto extends OrderDto {
  @TextField(ID)
  checkout: string;
}

export class CreatePayoutDto extends OrderDto {
  @TextField({ max: 200, example: 'sandbox:paid' })
  destination: string;
}

export class SandboxIdParam {
  @TextField(ID)
  id: string;
}

export class ReferenceQuery {
  @TextField(REFERENCE)
  merchantReference: string;
}

export class PaidQuery {
  @TimeField()
  from: string;

  @TimeField()
  to: string;

  @TextField({ ...ID, optional: true })
  after?: string;
}
