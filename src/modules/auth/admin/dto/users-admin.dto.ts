import { EnumField, TextField, TimeField, UuidField } from '../../../../platform/http/fields.js';
import { PageQuery } from '../../../../platform/http/pagination.js';
import { ROLES, type Role } from '../../../../platform/security/subject.js';
import {
  STANDING_REASONS,
  type StandingReason,
  USER_STATES,
} from '../../../users/standing/standing.types.js';

export class UserParam {
  @UuidField()
  id: string;
}

export class UsersQuery extends PageQuery {
  @TextField({
    optional: true,
    max: 200,
    example: 'ada',
    description:
      'Part of a handle or of a display name, a whole id, or a whole email where you may see those',
  })
  q?: string;

  @EnumField(USER_STATES, { optional: true })
  status?: (typeof USER_STATES)[number];

  @EnumField(ROLES, { optional: true })
  role?: Role;
}

export class AdminUserDto {
  @UuidField()
  id: string;

  @TextField({
    max: 254,
    nullable: true,
    example: 'ada@example.com',
    description: 'Null too where your role does not see it',
  })
  email: string | null;

  @TextField({ max: 20, example: 'ada' })
  handle: string;

  @TextField({ max: 60, example: 'Ada' })
  displayName: string;

  @EnumField(ROLES)
  role: Role;

  @EnumField(USER_STATES, { example: 'banned' })
  status: (typeof USER_STATES)[number];

  @TimeField({ nullable: true, description: 'When the ban ends; null while banned: never' })
  bannedUntil: string | null;

  @EnumField(STANDING_REASONS, { nullable: true })
  banReason: StandingReason | null;

  @TimeField()
  createdAt: string;
}

export class UpdateUserDto {
  @EnumField(ROLES, { optional: true })
  role?: Role;

  @EnumField(['active', 'banned'], { optional: true, example: 'banned' })
  status?: 'active' | 'banned';

  @TimeField({
    optional: true,
    example: '2030-01-01T00:00:00.000Z',
    description: 'With `banned`: when the ban ends; without it: never',
  })
  bannedUntil?: string;

  @EnumField(STANDING_REASONS, { description: 'Kept in the audit log; that of a ban is told to the user' })
  reason: StandingReason;
}
