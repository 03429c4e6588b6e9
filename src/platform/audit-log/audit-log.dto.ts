import { ApiProperty, IntersectionType } from '@nestjs/swagger';
import { TextField, TimeField, UuidField } from '../http/fields.js';
import { CursorQuery } from '../http/pagination.js';

export class AuditFilterQuery {
  @UuidField({ optional: true, description: 'Who did it' })
  actor?: string;

  @TextField({
    optional: true,
    max: 100,
    example: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e',
    description: 'What it was done to: an id, or a week',
  })
  subject?: string;

  @TextField({
    optional: true,
    max: 100,
    example: 'user',
    description: 'What kind of thing it was done to',
  })
  subjectType?: string;

  @TextField({ optional: true, max: 100, example: 'user.banned' })
  action?: string;

  @TextField({
    optional: true,
    max: 128,
    example: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e',
    description: 'X-Request-Id of the request that caused it',
  })
  requestId?: string;

  @TimeField({ optional: true, description: 'From this instant on' })
  from?: string;

  @TimeField({ optional: true, description: 'Before this instant' })
  to?: string;
}

export class AuditQuery extends IntersectionType(AuditFilterQuery, CursorQuery) {}

export class AuditEntryDto {
  @UuidField()
  id: string;

  @TimeField()
  at: string;

  @UuidField({ nullable: true, description: 'Null: the system itself' })
  actorId: string | null;

  @TextField({ max: 100, example: 'user.banned' })
  action: string;

  @TextField({ max: 100, example: 'user' })
  subjectType: string;

  @TextField({ max: 100, example: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e' })
  subjectId: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Ids and figures',
    example: { until: null, reason: 'fraud' },
  })
  details: Record<string, unknown>;

  @TextField({ max: 128, nullable: true, example: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e' })
  requestId: string | null;
}
