import { ListField, TextField } from '../../../../platform/http/fields.js';
import { RECOVERY_CODE } from '../../domain/recovery-codes.js';

const DIGITS = /^\d{6}$/;
const EITHER = new RegExp(`${DIGITS.source}|${RECOVERY_CODE.source}`);

export class TotpSetUpDto {
  @TextField({ max: 64, example: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', description: 'For typing it in' })
  secret: string;

  @TextField({
    max: 500,
    example: 'otpauth://totp/Parley:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Parley',
    description: 'For a QR code',
  })
  uri: string;
}

export class ConfirmTotpDto {
  @TextField({ min: 6, max: 6, pattern: DIGITS, example: '287082' })
  code: string;
}

/** A second factor, whichever is at hand. */
export class SecondFactorDto {
  @TextField({
    min: 6,
    max: 19,
    pattern: EITHER,
    example: '287082',
    description: 'Six digits of the authenticator, or a recovery code, which serves once',
  })
  code: string;
}

export class VerifySecondFactorDto extends SecondFactorDto {
  @TextField({
    max: 100,
    example: 'S0gYJ4Fq2v0C2m5m1cYw6k3c2yqv6x9Jm3h1k8l0abc',
    description: 'As SECOND_FACTOR_REQUIRED told it',
  })
  challenge: string;
}

export class RecoveryCodesDto {
  @ListField('string', {
    example: ['k3vd-7qpa-x2mn-yb6t'],
    description: 'Each opens the account once in place of the authenticator. They are not shown again.',
  })
  recoveryCodes: string[];
}
