import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsString,
  IsUUID,
  Matches,
  Max,
  Min,
  registerDecorator,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

/**
 * One decorator a field says what it is once: the validation of what comes in and the schema in the OpenAPI document.
 * An optional field may be absent but not null.
 */
interface FieldOptions {
  description?: string;
  example?: unknown;
  optional?: boolean;
  /** The value may be null; in answers only. */
  nullable?: boolean;
  /** Of an optional field that goes in place of others: the example of a body leaves it out. */
  alternative?: boolean;
}

const ALTERNATIVE = { 'x-alternative': true };

function field(
  schema: ApiPropertyOptions,
  options: FieldOptions,
  ...validators: PropertyDecorator[]
): PropertyDecorator {
  const { description, example, optional = false, nullable = false, alternative = false } = options;
  return applyDecorators(
    ApiProperty({
      ...schema,
      ...(alternative ? ALTERNATIVE : {}),
      ...(nullable ? { nullable: true } : {}),
      ...(description === undefined ? {} : { description }),
      ...(example === undefined ? {} : { example }),
      required: !optional,
    } as ApiPropertyOptions),
    ...(optional ? [IsAbsentOr()] : []),
    ...validators,
  );
}

/** Unlike IsOptional, null is not let through: it is validated and refused like any other value of the wrong type. */
function IsAbsentOr(): PropertyDecorator {
  return (target, key) =>
    ValidateIf((fields: Record<string | symbol, unknown>) => fields[key] !== undefined)(target, key);
}

/** Text that can be stored: no NUL, no lone surrogate. */
function IsStorable(): PropertyDecorator {
  return (target, key) =>
    registerDecorator({
      name: 'isStorable',
      target: target.constructor,
      propertyName: String(key),
      options: { message: `${String(key)} must be well-formed Unicode without NUL` },
      validator: {
        validate: (value: unknown) =>
          typeof value === 'string' && !value.includes('\0') && value.isWellFormed(),
      },
    });
}

/** Counted in code points, as Postgres counts: class-validator's own leaves out what only varies a letter. */
function HasLength(min: number, max: number): PropertyDecorator {
  return (target, key) =>
    registerDecorator({
      name: 'hasLength',
      target: target.constructor,
      propertyName: String(key),
      options: { message: `${String(key)} must have ${min} to ${max} characters` },
      validator: {
        validate: (value: unknown) => {
          if (typeof value !== 'string') return false;
          const inDoubt = value.length > max || value.length < 2 * min; // a code point has one unit or two
          const length = inDoubt ? Array.from(value).length : value.length;
          return length >= min && length <= max;
        },
      },
    });
}

export function TextField(
  options: FieldOptions & { min?: number; max: number; pattern?: RegExp; format?: string },
): PropertyDecorator {
  const { min = 1, max, pattern, format } = options;
  return field(
    {
      type: 'string',
      minLength: min,
      maxLength: max,
      ...(pattern ? { pattern: pattern.source } : {}),
      ...(format ? { format } : {}),
    },
    options,
    IsString(),
    IsStorable(),
    HasLength(min, max),
    ...(pattern ? [Matches(pattern)] : []),
  );
}

/** In either case, and in small letters from here on: so one id is one text wherever it is compared, stored or sent on. */
export function UuidField(options: FieldOptions = {}): PropertyDecorator {
  return field(
    { type: 'string', format: 'uuid' },
    { example: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e', ...options },
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value)),
    IsUUID(),
  );
}

/** A whole number. `query` also takes its decimal digits, as query strings carry them. */
export function IntField(
  options: FieldOptions & { min?: number; max?: number; query?: boolean } = {},
): PropertyDecorator {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER, query = false } = options;
  const digits = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value,
  );
  return field(
    { type: 'integer', minimum: min, maximum: max },
    { example: Math.min(Math.max(min, 1), max), ...options },
    ...(query ? [digits] : []),
    IsInt(),
    Min(min),
    Max(max),
  );
}

export function BoolField(options: FieldOptions = {}): PropertyDecorator {
  return field({ type: 'boolean' }, { example: true, ...options }, IsBoolean());
}

export function EnumField(values: readonly string[], options: FieldOptions = {}): PropertyDecorator {
  return field({ type: 'string', enum: [...values] }, { example: values[0], ...options }, IsIn(values));
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?Z$/;

/** A time that exists, in the one form that everything behind it can read; ISO 8601 has many more. */
function IsInstant(): PropertyDecorator {
  return (target, key) =>
    registerDecorator({
      name: 'isInstant',
      target: target.constructor,
      propertyName: String(key),
      options: { message: `${String(key)} must be a time in UTC, YYYY-MM-DDTHH:MM:SSZ` },
      validator: {
        validate: (value: unknown) => {
          if (typeof value !== 'string' || !INSTANT.test(value)) return false;
          const time = Date.parse(value);
          // 30 February is read as 2 March.
          return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 19) === value.slice(0, 19);
        },
      },
    });
}

/** An instant in UTC: `YYYY-MM-DDTHH:MM:SSZ`, with a fraction of the second or without. */
export function TimeField(options: FieldOptions = {}): PropertyDecorator {
  return field(
    { type: 'string', format: 'date-time' },
    { example: '2023-10-08T17:00:00.000Z', ...options },
    IsInstant(),
  );
}

/** A calendar day, YYYY-MM-DD. */
export function DateField(options: FieldOptions = {}): PropertyDecorator {
  return field(
    { type: 'string', format: 'date' },
    { example: '2023-10-08', ...options },
    Matches(/^\d{4}-\d{2}-\d{2}$/),
    IsISO8601({ strict: true }),
  );
}

/** A nested object, or a list of them, of so many where that is said. */
export function ObjectField(
  type: () => new () => object,
  options: FieldOptions & { list?: boolean; min?: number; max?: number } = {},
): PropertyDecorator {
  const { list = false, optional = false, nullable = false, alternative = false } = options;
  const { description, example, min, max } = options;
  return applyDecorators(
    ApiProperty({
      type: () => type(), // swagger takes a function for a lazy type by its name, which the property gives it
      isArray: list,
      required: !optional,
      ...(nullable ? { nullable: true } : {}),
      ...(description ? { description } : {}),
      ...(example === undefined ? {} : { example }),
      ...(min === undefined ? {} : { minItems: min }),
      ...(max === undefined ? {} : { maxItems: max }),
      ...(alternative ? ALTERNATIVE : {}),
    }),
    ...(optional ? [IsAbsentOr()] : []),
    ...(min === undefined ? [] : [IsArray(), ArrayMinSize(min)]),
    ...(max === undefined ? [] : [ArrayMaxSize(max)]),
    ValidateNested({ each: list }),
    Type(type),
  );
}

/** A list of plain values, in answers. */
export function ListField(item: 'string' | 'integer', options: FieldOptions = {}): PropertyDecorator {
  return field({ type: 'array', items: { type: item } }, options);
}
