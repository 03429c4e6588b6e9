import { EnumField, ObjectField, TimeField, UuidField } from '../../../../platform/http/fields.js';
import { CursorQuery } from '../../../../platform/http/pagination.js';
import { PersonDto } from '../../dto/person.dto.js';

const STATUSES = ['pending', 'accepted', 'declined'] as const;
const DIRECTIONS = ['incoming', 'outgoing'] as const;

export class RequestContactDto {
  @UuidField({ description: 'Of the user who is asked' })
  userId: string;
}

export class ContactParam {
  @UuidField()
  id: string;
}

export class ContactsQuery extends CursorQuery {
  @EnumField(STATUSES, { optional: true, description: 'All when absent' })
  status?: (typeof STATUSES)[number];
}

export class ContactDto {
  @UuidField()
  id: string;

  @EnumField(STATUSES)
  status: (typeof STATUSES)[number];

  @EnumField(DIRECTIONS, { description: '`incoming`: the other asked' })
  direction: (typeof DIRECTIONS)[number];

  @ObjectField(() => PersonDto, { description: 'The other' })
  user: PersonDto;

  @TimeField()
  requestedAt: string;

  @TimeField({ nullable: true, description: 'null: no answer yet' })
  answeredAt: string | null;
}
