import { BoolField, EnumField, ObjectField, TextField, TimeField } from '../../../../platform/http/fields.js';
import { NewAccountDto } from '../../dto/auth.dto.js';
import { PROVIDERS, type ProviderName } from '../oauth.types.js';

const SECRET = /^[A-Za-z0-9_-]{43}$/;

export class ProviderParam {
  @TextField({ max: 40, example: 'google', description: '`google` or `apple`' })
  provider: string;
}

export class BeginQuery {
  @TextField({
    max: 2000,
    example: 'https://app.example.com/signed-in',
    description:
      'Where the browser goes in the end: one of the addresses that the operator allows, or below it',
  })
  redirectTo: string;

  @TextField({
    min: 43,
    max: 43,
    pattern: SECRET,
    example: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    description:
      'SHA-256 (base64url, as S256 of PKCE) of a random text that the app sends as `verifier` with the ticket: nobody else can use the ticket',
  })
  challenge: string;
}

/** What proves who somebody is at a provider: an ID token with its nonce, or a ticket. */
export class ProofDto {
  @TextField({
    optional: true,
    max: 4096,
    example: 'eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2FjY291bnRzLmdvb2dsZS5jb20ifQ.c2ln',
    description: 'ID token that the provider gave the app on the device; with `nonce`. Works once.',
  })
  idToken?: string;

  @TextField({
    optional: true,
    min: 16,
    max: 128,
    pattern: /^[\x21-\x7e]+$/,
    example: 'n-0S6_WzA2Mj-cD3kqL9',
    description:
      'The random text that the app made. The ID token bears it, or its SHA-256 in small hexadecimal digits: with Apple always the hash, when the text itself looks like one.',
  })
  nonce?: string;

  @TextField({
    optional: true,
    min: 43,
    max: 43,
    pattern: SECRET,
    description: 'In place of an ID token: from the fragment of the address that the browser came back to',
  })
  ticket?: string;

  @TextField({
    optional: true,
    min: 43,
    max: 128,
    pattern: /^[A-Za-z0-9._~-]+$/,
    description: 'With a ticket: the text whose SHA-256 was the `challenge` that it was begun with',
  })
  verifier?: string;
}

export class OAuthSignInDto extends ProofDto {
  @TextField({
    optional: true,
    max: 200,
    example: 'Ada Lovelace',
    description: 'The name that Apple gave the app, which it does once; shown when `account` names none',
  })
  name?: string;

  @ObjectField(() => NewAccountDto, {
    optional: true,
    description: 'Opens an account when there is none; asked for by REGISTRATION_REQUIRED',
  })
  account?: NewAccountDto;
}

export class IdentityDto {
  @EnumField(PROVIDERS)
  provider: ProviderName;

  @TextField({
    max: 254,
    nullable: true,
    example: 'ada@example.com',
    description: 'As the provider told it when it was linked',
  })
  email: string | null;

  @BoolField({ example: false, description: 'The address is one of Apple’s that forward' })
  privateRelay: boolean;

  @TimeField()
  linkedAt: string;

  @TimeField()
  lastUsedAt: string;
}
