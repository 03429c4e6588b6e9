import { BoolField, TextField, UuidField } from '../../../platform/http/fields.js';

/** Ids and handles as routes take them. */
export class UserParam {
  @UuidField()
  id: string;
}

export class HandleParam {
  @TextField({ min: 3, max: 20, pattern: /^[A-Za-z0-9_]+$/, example: 'ada' })
  handle: string;
}

/** A user in a list. */
export class PersonDto {
  @UuidField()
  id: string;

  @TextField({ max: 20, example: 'ada' })
  handle: string;

  @TextField({ max: 60, example: 'Ada Lovelace' })
  displayName: string;

  @TextField({ max: 500, format: 'uri', example: 'https://cdn.example.com/ada.png', nullable: true })
  avatarUrl: string | null;
}

/** A user in a list from which one follows. */
export class FollowablePersonDto extends PersonDto {
  @BoolField({ description: 'Whether the caller follows them' })
  following: boolean;
}
