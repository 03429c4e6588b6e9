import { applyDecorators, HttpCode, type Type } from '@nestjs/common';
import {
  ApiExtension,
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import type { ErrorFactory } from './domain-error.js';
import { httpErrors } from './http.errors.js';

/** Carries the codes of an operation to the builder of the document. */
export const ERRORS_EXTENSION = 'x-errors';

interface OperationOptions {
  summary: string;
  description?: string;
  /** HTTP status of success. */
  status?: 200 | 201 | 202;
  /** What `data` is; null when there is nothing to say. */
  answer: Type<unknown> | null;
  /** What `data` is where the operation may have to wait for something: answered with 202, see `Accepted`. */
  waits?: Type<unknown>;
  /** `data` is a list of it, paged by cursor, by page, or whole. */
  list?: 'cursor' | 'page' | 'whole';
  /** Takes an Idempotency-Key and replays its answer. */
  idempotent?: boolean;
  /** The codes of its own; those of the guards and those that any operation may answer are added. */
  errors?: readonly ErrorFactory[];
}

const PAGINATION = {
  cursor: {
    type: 'object',
    required: ['limit', 'nextCursor'],
    properties: {
      limit: { type: 'integer', example: 20 },
      nextCursor: { type: ['string', 'null'], example: 'NDgyMTM' },
    },
  },
  page: {
    type: 'object',
    required: ['page', 'limit', 'total'],
    properties: {
      page: { type: 'integer', example: 1 },
      limit: { type: 'integer', example: 20 },
      total: { type: 'integer', example: 77 },
    },
  },
};

/** The envelope of a success around what `data` is. */
export function successOf(data: object, pagination: object = {}): object {
  return {
    type: 'object',
    required: ['success', 'data', 'meta'],
    properties: {
      success: { const: true },
      data,
      meta: {
        type: 'object',
        required: ['timestamp', ...Object.keys(pagination)],
        properties: {
          timestamp: { type: 'string', format: 'date-time', example: '2023-10-03T12:00:00.000Z' },
          ...pagination,
        },
      },
    },
  };
}

/** Describes a route in the OpenAPI document: summary, answer in its envelope, and its own codes. */
export function Operation(options: OperationOptions): MethodDecorator {
  const {
    summary,
    description,
    status = 200,
    answer,
    waits,
    list,
    idempotent = false,
    errors = [],
  } = options;
  const own = answer === null ? { type: 'null' } : { $ref: getSchemaPath(answer) };
  const data = list === undefined ? own : { type: 'array', items: own };
  const pagination = list === 'cursor' || list === 'page' ? { pagination: PAGINATION[list] } : {};
  const idempotencyErrors = idempotent
    ? [httpErrors.IDEMPOTENCY_KEY_REQUIRED, httpErrors.IDEMPOTENCY_KEY_REUSED]
    : [];
  return applyDecorators(
    HttpCode(status),
    ApiOperation({ summary, ...(description === undefined ? {} : { description }) }),
    ...(answer === null ? [] : [ApiExtraModels(answer)]),
    ...(waits === undefined
      ? []
      : [
          ApiExtraModels(waits),
          ApiResponse({
            status: 202,
            description: 'Not done yet',
            schema: successOf({ $ref: getSchemaPath(waits) }, pagination),
          }),
        ]),
    ...(idempotent
      ? [
          ApiHeader({
            name: 'Idempotency-Key',
            required: true,
            description: 'New for each intended effect; the same key and body answer the first answer again.',
            schema: { type: 'string', minLength: 1, maxLength: 255 },
            example: '6f1f0f6e-9d0c-4d1e-8a55-0c3f5a7b9e21',
          }),
        ]
      : []),
    ApiResponse({
      status,
      description: 'Done',
      schema: successOf(data, pagination),
      ...(idempotent
        ? {
            headers: {
              'Idempotent-Replayed': {
                description: '`true` when answered before',
                schema: { type: 'string' },
              },
            },
          }
        : {}),
    }),
    ApiExtension(
      ERRORS_EXTENSION,
      [...errors, ...idempotencyErrors].map(({ code }) => code),
    ),
  );
}
