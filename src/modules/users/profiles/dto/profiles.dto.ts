import {
  BoolField,
  EnumField,
  IntField,
  ListField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../../platform/http/fields.js';
import { PageQuery } from '../../../../platform/http/pagination.js';
import { ROLES, type Role } from '../../../../platform/security/subject.js';
import { PersonDto } from '../../dto/person.dto.js';
import { CountryField, PictureUrlField, ProseField, SportsField } from './profile-fields.js';

/** What is absent stays; null takes away. */
export class UpdateProfileDto {
  @TextField({ optional: true, min: 3, max: 20, pattern: /^[A-Za-z0-9_]+$/, example: 'ada' })
  handle?: string;

  @ProseField({ max: 60, example: 'Ada Lovelace' })
  displayName?: string;

  @ProseField({ max: 500, nullable: true, example: 'Numbers first. Underdogs second.' })
  bio?: string | null;

  @PictureUrlField()
  avatarUrl?: string | null;

  @CountryField()
  country?: string | null;

  @SportsField()
  favouriteSports?: string[];
}

class ProfileDto extends PersonDto {
  @TextField({ max: 500, example: 'Numbers first. Underdogs second.', nullable: true })
  bio: string | null;

  @TextField({ max: 2, example: 'CM', nullable: true, description: 'ISO 3166-1 alpha-2' })
  country: string | null;

  @ListField('string', { example: ['soccer'] })
  favouriteSports: string[];

  @IntField({ min: 0, example: 42 })
  followersCount: number;

  @IntField({ min: 0, example: 7 })
  followingCount: number;

  @TimeField()
  createdAt: string;
}

/** One's own. */
export class MyProfileDto extends ProfileDto {
  @TextField({ max: 254, format: 'email', example: 'ada@example.com', nullable: true })
  email: string | null;

  @BoolField()
  emailVerified: boolean;

  @EnumField(ROLES)
  role: Role;

  @TimeField({ nullable: true, description: 'From when the handle can be changed again; null: now' })
  handleChangeableAt: string | null;

  @TimeField({ nullable: true, description: 'When the account is to be erased; null: it stays' })
  closingAt: string | null;
}

const CONTACT = ['none', 'incoming', 'outgoing', 'accepted', 'declined'] as const;

/** What stands between the caller and the user. */
export class RelationshipDto {
  @BoolField({ description: 'The caller follows them' })
  following: boolean;

  @BoolField({ description: 'They follow the caller' })
  followedBy: boolean;

  @BoolField({ description: 'The caller has muted them' })
  muted: boolean;

  @EnumField(CONTACT, { description: 'A request is `incoming` or `outgoing` until it is answered' })
  contact: (typeof CONTACT)[number];

  @UuidField({ nullable: true, description: 'Of the contact, where there is one' })
  contactId: string | null;
}

/** Anyone's, as a signed-in user sees it. */
export class PublicProfileDto extends ProfileDto {
  @ObjectField(() => RelationshipDto)
  relationship: RelationshipDto;
}

export class SearchQuery extends PageQuery {
  @TextField({
    min: 2,
    max: 60,
    example: 'ada',
    description: 'A handle, a name, or words of either or of a bio',
  })
  q: string;
}
