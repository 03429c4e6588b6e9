import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsUUID, registerDecorator, ValidateIf } from 'class-validator';
import { TextField } from '../../../../platform/http/fields.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Games that one message may name; how many a socket may follow is an operator's rule besides. */
const MOST = 2000;
const GAME = '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e';

/** What the compiler does not know of ApiProperty: `propertyNames`. */
const NUMBERS: object = {
  type: 'object',
  propertyNames: { format: 'uuid' },
  additionalProperties: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  maxProperties: MOST,
  example: { [GAME]: 16 },
  description: 'By the ids of games that you know already: the `seq` up to which you do',
};

/** An id in capitals is the same id, as it is to REST. */
const lower = (id: unknown): unknown => (typeof id === 'string' ? id.toLowerCase() : id);

function byLower(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([id, seq]: [string, unknown]) => [lower(id), seq]));
}

/** Present or not, but never null. */
function IsAbsentOr(): PropertyDecorator {
  return (target, key) =>
    ValidateIf((fields: Record<string | symbol, unknown>) => fields[key] !== undefined)(target, key);
}

/** `{ "<game's id>": <number of its last change that is known> }` */
function IsNumbers(): PropertyDecorator {
  return (target, key) =>
    registerDecorator({
      name: 'isNumbers',
      target: target.constructor,
      propertyName: String(key),
      options: { message: `${String(key)} must hold a whole number from 0 for each game's id` },
      validator: {
        validate: (value: unknown) =>
          typeof value === 'object' &&
          value !== null &&
          !Array.isArray(value) &&
          Object.keys(value).length <= MOST &&
          Object.entries(value).every(
            ([id, seq]) => UUID.test(id) && Number.isSafeInteger(seq) && (seq as number) >= 0,
          ),
      },
    });
}

export class UnsubscribeDto {
  @ApiProperty({
    type: 'array',
    items: { type: 'string', format: 'uuid' },
    maxItems: MOST,
    required: false,
    example: [GAME],
    description: 'Ids of games',
  })
  @IsAbsentOr()
  @IsArray()
  @ArrayMaxSize(MOST)
  @IsUUID(undefined, { each: true })
  @Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(lower) : value))
  games?: string[];

  @TextField({ optional: true, max: 40, pattern: /^[a-z_]+$/, example: 'american_football' })
  sport?: string;

  @TextField({ optional: true, max: 60, example: 'NFL' })
  league?: string;
}

export class SubscribeDto extends UnsubscribeDto {
  @ApiProperty({ ...NUMBERS, required: false })
  @IsAbsentOr()
  @IsNumbers()
  @Transform(({ value }: { value: unknown }) => byLower(value))
  after?: Record<string, number>;
}
