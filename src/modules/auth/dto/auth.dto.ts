import { IntersectionType } from '@nestjs/swagger';
import {
  DateField,
  EnumField,
  IntField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../platform/http/fields.js';
import { ROLES, type Role } from '../../../platform/security/subject.js';

export const EMAIL = /^[^\s@"<>()]{1,64}@[^\s@"<>()]+\.[^\s@"<>().]{2,}$/;

/** What an account needs, by whatever way in it is opened. */
export class NewAccountDto {
  @TextField({ min: 3, max: 20, pattern: /^[A-Za-z0-9_]+$/, example: 'ada' })
  handle: string;

  @TextField({ optional: true, max: 60, example: 'Ada Lovelace', description: 'The handle when absent' })
  displayName?: string;

  @DateField({ example: '1990-12-10' })
  birthDate: string;

  @TextField({ max: 32, example: '2026-11', description: 'Version of the terms the user has accepted' })
  termsVersion: string;
}

export class RegisterDto extends NewAccountDto {
  @TextField({ max: 254, pattern: EMAIL, format: 'email', example: 'ada@example.com' })
  email: string;

  @TextField({ min: 10, max: 128, example: 'correct horse battery' })
  password: string;
}

export class LoginDto {
  @TextField({ max: 254, example: 'ada@example.com' })
  email: string;

  @TextField({ max: 128, example: 'correct horse battery' })
  password: string;
}

export class RefreshDto {
  @TextField({ max: 100, example: 'S0gYJ4Fq2v0C2m5m1cYw6k3c2yqv6x9Jm3h1k8l0abc' })
  refreshToken: string;
}

export class AcceptTermsDto {
  @TextField({ max: 32, example: '2026-11' })
  version: string;
}

export class AccountDto {
  @UuidField()
  id: string;

  @TextField({
    max: 254,
    format: 'email',
    example: 'ada@example.com',
    nullable: true,
    description: 'Null for who registered by phone',
  })
  email: string | null;

  @TextField({ max: 20, example: 'ada' })
  handle: string;

  @TextField({ max: 60, example: 'Ada Lovelace' })
  displayName: string;

  @EnumField(ROLES)
  role: Role;

  @TimeField({
    optional: true,
    description:
      'While the account is being closed: when it will be erased, unless POST users/me/restore keeps it',
  })
  closingAt?: string;
}

export class TokensDto {
  @TextField({ max: 2000, example: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTkzIn0.c2ln' })
  accessToken: string;

  @TextField({ max: 100, example: 'S0gYJ4Fq2v0C2m5m1cYw6k3c2yqv6x9Jm3h1k8l0abc' })
  refreshToken: string;

  @IntField({ min: 1, example: 900, description: 'Seconds the access token lives' })
  expiresIn: number;
}

export class DeviceTokenDto {
  @TextField({
    max: 43,
    example: 'b3PqXm0Zt1uV7yWc2sKdNw4RfGh8JaLe5MoTiUxQzBE',
    description:
      'Keep it on the device, signed out too, and send it as X-Device-Token: by it the account knows the device again, and wrong passwords of others do not lock it',
  })
  deviceToken: string;
}

export class SignedInDto extends IntersectionType(TokensDto, DeviceTokenDto) {
  @ObjectField(() => AccountDto)
  user: AccountDto;
}

export class TermsDto {
  @TextField({ max: 32, example: '2026-11' })
  version: string;
}
