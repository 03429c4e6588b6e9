import { IntField, ObjectField, TextField, TimeField } from '../../../../platform/http/fields.js';
import { NewAccountDto } from '../../dto/auth.dto.js';

const PHONE = {
  min: 8,
  max: 32,
  pattern: /^\+[0-9 ().-]+$/,
  example: '+12015550123',
  description: 'A mobile number with its country code; spaces, dots, hyphens and brackets do not matter',
} as const;

const CODE = { min: 6, max: 6, pattern: /^[0-9]{6}$/, example: '492039' } as const;

const CHALLENGE = {
  min: 43,
  max: 43,
  pattern: /^[A-Za-z0-9_-]{43}$/,
  example: 'S0gYJ4Fq2v0C2m5m1cYw6k3c2yqv6x9Jm3h1k8l0abc',
  description: 'As answered to who asked for the code, which is compared with no other',
} as const;

export class OtpSendDto {
  @TextField(PHONE)
  phone: string;
}

export class OtpSentDto {
  @TextField({ ...CHALLENGE, description: 'To be sent with the code; keep it to yourself' })
  challengeId: string;

  @IntField({ min: 1, example: 600, description: 'Seconds the code works once it is sent' })
  expiresIn: number;
}

export class OtpVerifyDto extends OtpSendDto {
  @TextField(CHALLENGE)
  challengeId: string;

  @TextField(CODE)
  code: string;

  @ObjectField(() => NewAccountDto, {
    optional: true,
    description: 'Opens an account when the number has none; the code may be sent again with it',
  })
  account?: NewAccountDto;
}

export class OtpProofDto {
  @TextField(CHALLENGE)
  challengeId: string;

  @TextField(CODE)
  code: string;
}

export class PhoneVerifyDto extends OtpSendDto {
  @TextField(CHALLENGE)
  challengeId: string;

  @TextField(CODE)
  code: string;
}

export class PhoneDto {
  @TextField({ max: 16, example: '+12015550123', description: 'E.164' })
  phone: string;

  @TimeField()
  verifiedAt: Date;
}
