import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsISO31661Alpha2,
  IsString,
  MaxLength,
  registerDecorator,
  ValidateIf,
} from 'class-validator';
import { TextField } from '../../../../platform/http/fields.js';

/** A field of a change: absent leaves what is there, null (where it may be) takes it away. */
function OrNull(): PropertyDecorator {
  return (target, key) =>
    ValidateIf((fields: Record<string | symbol, unknown>) => fields[key] !== null)(target, key);
}

function must(name: string, message: string, holds: (value: string) => boolean): PropertyDecorator {
  return (target, key) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: String(key),
      options: { message: `${String(key)} must ${message}` },
      validator: { validate: (value: unknown) => typeof value === 'string' && holds(value) },
    });
}

/** Text that a user may change and, where it may be null, clear. */
export function ProseField(options: {
  max: number;
  example: string;
  nullable?: boolean;
  description?: string;
}): PropertyDecorator {
  return applyDecorators(TextField({ ...options, optional: true }), ...(options.nullable ? [OrNull()] : []));
}

/** The address of a picture: absolute, https, without a password in it. Nothing here ever fetches it. */
export function PictureUrlField(): PropertyDecorator {
  return applyDecorators(
    TextField({
      optional: true,
      nullable: true,
      max: 500,
      pattern: /^https:\/\/[^\s"'<>\\^`{|}@]+$/u,
      format: 'uri',
      example: 'https://cdn.example.com/ada.png',
    }),
    must('isPictureUrl', 'be an https address', isPictureUrl),
    OrNull(),
  );
}

/** The parser forgives line breaks, backslashes and missing slashes; what it made of them must be what was sent. */
function isPictureUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return (
    url.protocol === 'https:' && url.username === '' && url.password === '' && url.hostname.includes('.')
  );
}

/** ISO 3166-1 alpha-2, of a country that there is. */
export function CountryField(): PropertyDecorator {
  return applyDecorators(
    TextField({ optional: true, nullable: true, min: 2, max: 2, pattern: /^[A-Z]{2}$/, example: 'CM' }),
    IsISO31661Alpha2(),
    OrNull(),
  );
}

/** Keys of sports, of which none stands there twice; which there are the configuration tells. */
export function SportsField(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({
      type: 'array',
      items: { type: 'string', maxLength: 40 },
      maxItems: 20,
      uniqueItems: true,
      required: false,
      example: ['soccer'],
      description: 'Keys of config/sports.yml; replaces the list',
    }),
    ValidateIf((fields: { favouriteSports?: unknown }) => fields.favouriteSports !== undefined),
    IsArray(),
    ArrayMaxSize(20),
    ArrayUnique(),
    IsString({ each: true }),
    MaxLength(40, { each: true }),
  );
}
