import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { registerDecorator, ValidateIf } from 'class-validator';
import { KEY } from '../domain/markets.js';

const MAX_SCORE = 2000;
const MAX_PERIODS = 30;
const MAX_PROPS = 200;
const MAX_WINNERS = 100;

/** An optional field of a report whose whole value is judged at once. */
function judged(
  name: string,
  message: string,
  schema: object,
  isRight: (value: unknown) => boolean,
): PropertyDecorator {
  const ifGiven: PropertyDecorator = (target, key) =>
    ValidateIf((fields: Record<string | symbol, unknown>) => fields[key] !== undefined)(target, key);
  const right: PropertyDecorator = (target, key) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: String(key),
      options: { message: `${String(key)} must be ${message}` },
      validator: { validate: isRight },
    });
  return applyDecorators(ApiProperty({ ...schema, required: false }), ifGiven, right);
}

/** Scores by period, `[[home, away], …]`. */
export function PeriodsField(): PropertyDecorator {
  const isPair = (value: unknown) =>
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((score) => Number.isInteger(score) && score >= 0 && score <= MAX_SCORE);
  const pair = {
    type: 'array',
    minItems: 2,
    maxItems: 2,
    items: { type: 'integer', minimum: 0, maximum: MAX_SCORE },
  };
  return judged(
    'isPeriods',
    `at most ${MAX_PERIODS} pairs of scores, home before away`,
    {
      type: 'array',
      maxItems: MAX_PERIODS,
      items: pair,
      description: 'Scores by period, home before away; left out: as they were',
      example: [
        [7, 3],
        [14, 0],
        [14, 7],
        [7, 0],
      ],
    },
    (value) => Array.isArray(value) && value.length <= MAX_PERIODS && value.every(isPair),
  );
}

/** Winners by the key of a prop, `{ "first_touchdown": ["kelce"] }`. */
export function PropWinnersField(): PropertyDecorator {
  const isKey = (value: unknown) => typeof value === 'string' && KEY.test(value);
  const isWinners = (value: unknown) =>
    Array.isArray(value) &&
    value.length <= MAX_WINNERS &&
    new Set(value).size === value.length &&
    value.every(isKey);
  return judged(
    'isPropWinners',
    `keys of at most ${MAX_PROPS} props, each with at most ${MAX_WINNERS} keys of different winners`,
    {
      type: 'object',
      maxProperties: MAX_PROPS,
      propertyNames: { pattern: KEY.source },
      additionalProperties: {
        type: 'array',
        maxItems: MAX_WINNERS,
        uniqueItems: true,
        items: { type: 'string', pattern: KEY.source },
      },
      description:
        'Winners by the key of a prop, all that are known: more of them than the market has places are a dead heat, an empty list says that nobody won, a prop that is not named is void. Left out: as they were',
      example: { first_touchdown: ['kelce'] },
    },
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.keys(value).length <= MAX_PROPS &&
      Object.entries(value).every(([key, winners]) => isKey(key) && isWinners(winners)),
  );
}
