import { BoolField, IntField } from '../../../../platform/http/fields.js';

export class FollowDto {
  @BoolField({ description: 'Whether the caller follows them now' })
  following: boolean;

  @IntField({ min: 0, example: 42, description: 'Followers they have now' })
  followersCount: number;
}
