import {
  BoolField,
  EnumField,
  IntField,
  TextField,
  TimeField,
  UuidField,
} from '../../../../platform/http/fields.js';
import type { Proof } from '../../sign-in.types.js';

export class SessionParam {
  @UuidField()
  id: string;
}

export class SessionDto {
  @UuidField()
  id: string;

  @TextField({
    max: 100,
    example: 'Firefox on Linux',
    nullable: true,
    description: 'What the client called itself when it signed in; null when it said nothing',
  })
  device: string | null;

  @TextField({
    max: 50,
    example: '203.0.113.0/24',
    nullable: true,
    description: 'The network it was opened from: no city is guessed. Null when no address is known',
  })
  place: string | null;

  @EnumField(['password', 'otp', 'google', 'apple'], { description: 'How the user proved who they are' })
  proof: Proof;

  @BoolField({ description: 'Bound to a key of the client (DPoP)', example: false })
  bound: boolean;

  @BoolField({ description: 'The session of this request' })
  current: boolean;

  @TimeField()
  createdAt: Date;

  @TimeField({ description: 'Last activity, to the minute; refreshes are none' })
  lastUsedAt: Date;

  @TimeField({ description: 'When it ends unless it is refreshed' })
  expiresAt: Date;
}

export class ReauthenticateDto {
  @TextField({ max: 128, example: 'correct horse battery' })
  password: string;
}

export class ChooseIdleTimeoutDto {
  @IntField({ min: 60, max: 86_400, example: 600, description: 'Seconds; at most what the operator allows' })
  seconds: number;
}

export class IdleTimeoutDto {
  @IntField({ min: 60, example: 600, description: 'Seconds without activity after which a session is idle' })
  seconds: number;

  @IntField({ min: 60, example: 1800, description: 'The longest that may be chosen, and the default' })
  max: number;

  @EnumField(['reauthenticate', 'end'], {
    description:
      'What becomes of an idle session: it may only read until the user proves themselves again, or it ends',
  })
  policy: 'reauthenticate' | 'end';
}
