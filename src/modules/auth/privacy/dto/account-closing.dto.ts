import { TextField, TimeField } from '../../../../platform/http/fields.js';

export class CloseAccountDto {
  @TextField({
    optional: true,
    max: 128,
    example: 'correct horse battery',
    description:
      'Needed where the account has one; else the session must have been proved in the last minutes',
  })
  password?: string;
}

export class ClosingDto {
  @TimeField({ description: 'When the personal data will be erased' })
  closingAt: string;
}
