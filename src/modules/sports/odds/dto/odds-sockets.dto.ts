import { ArrayMaxSize, IsArray, IsUUID, registerDecorator, ValidateIf } from 'class-validator';
import { TextField } from '../../../../platform/http/fields.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Games that one message may name; how many a socket may follow is an operator's rule besides. */
const MOST = 2000;

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
  @IsAbsentOr()
  @IsArray()
  @ArrayMaxSize(MOST)
  @IsUUID(undefined, { each: true })
  games?: string[];

  @TextField({ optional: true, max: 40, pattern: /^[a-z_]+$/ })
  sport?: string;

  @TextField({ optional: true, max: 60 })
  league?: string;
}

export class SubscribeDto extends UnsubscribeDto {
  /** Of games that the client knows already: up to which change. */
  @IsAbsentOr()
  @IsNumbers()
  after?: Record<string, number>;
}
