import { IntField, TextField } from '../../../platform/http/fields.js';

/** Money in an answer of compliance. */
export class MoneyDto {
  @IntField({ example: 1000, description: 'Minor units of the currency; some have none' })
  amount: number;

  @TextField({ max: 3, pattern: /^[A-Z]{3}$/, example: 'USD' })
  currency: string;
}
