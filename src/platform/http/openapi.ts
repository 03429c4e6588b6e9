import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { dpopErrors } from '../security/dpop.errors.js';
import { IDLE_EXTENSION } from '../security/idle.decorators.js';
import { PUBLIC_EXTENSION } from '../security/public.decorator.js';
import {
  type OperationClass,
  OPERATES_EXTENSION,
  type Product,
  PRODUCT_EXTENSION,
} from '../security/operates.decorator.js';
import { PERMISSIONS_EXTENSION } from '../security/requires-permission.decorator.js';
import { DPOP_HEADER } from './caller.decorator.js';
import { errorCatalogue, type ErrorFactory, type ErrorSpec } from './domain-error.js';
import { httpErrors } from './http.errors.js';
import { exampleOf, type Schema } from './openapi-examples.js';
import { ERRORS_EXTENSION } from './operation.decorator.js';

const REQUEST_ID = '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e';

/** The envelope of a failure: `components.schemas.Failure`. */
export const FAILURE = {
  type: 'object',
  required: ['success', 'error'],
  additionalProperties: false,
  properties: {
    success: { const: false },
    error: {
      type: 'object',
      required: ['code', 'message', 'details', 'requestId'],
      additionalProperties: false,
      properties: {
        code: { type: 'string', description: 'One of a closed list; see docs/errors.md' },
        message: { type: 'string', description: 'A sentence for a developer' },
        details: {
          type: 'object',
          additionalProperties: true,
          description: 'Names the field, limit or state',
        },
        requestId: { type: 'string' },
      },
    },
  },
};

const HEADERS = {
  'X-Request-Id': { description: 'Yours, or a new one', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer', minimum: 1 } },
  'RateLimit-Limit': { description: 'Requests allowed in the window', schema: { type: 'integer' } },
  'RateLimit-Remaining': { description: 'Requests left in the window', schema: { type: 'integer' } },
  'RateLimit-Reset': { description: 'Seconds until the window ends', schema: { type: 'integer' } },
};
const RATE_LIMIT_HEADERS = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'] as const;

/** Codes of the guards: of every operation that asks for a session, and of those that ask for a permission. */
export interface GuardErrors {
  readonly session: readonly ErrorFactory[];
  /** Of those that write, unless an idle session may call them. */
  readonly writing: readonly ErrorFactory[];
  readonly permission: readonly ErrorFactory[];
  /** Of the rules of play, by what the operation was declared to be. */
  readonly play: (operation: OperationClass, product: Product | null) => readonly ErrorFactory[];
}

/** Codes that an operation answers for modules above its own, which what it calls through a port belongs to. By its id. */
export type FurtherErrors = Readonly<Record<string, readonly ErrorFactory[]>>;

interface Content {
  'application/json': { schema: Schema; example?: unknown; examples?: Record<string, unknown> };
}

interface Response {
  description: string;
  headers?: Record<string, unknown>;
  content?: Content;
}

interface Operation {
  operationId: string;
  security?: unknown[];
  parameters?: { in: string; name?: string }[];
  requestBody?: { content: Content };
  responses: Record<string, Response | { $ref: string }>;
  [ERRORS_EXTENSION]?: string[];
  [PUBLIC_EXTENSION]?: string;
  [IDLE_EXTENSION]?: string;
  [PERMISSIONS_EXTENSION]?: string[];
  [OPERATES_EXTENSION]?: OperationClass;
  [PRODUCT_EXTENSION]?: Product | null;
}

/** Builds the OpenAPI 3.1 document from the routes that run. */
export function buildOpenApi(
  app: INestApplication,
  guards: GuardErrors,
  further: FurtherErrors = {},
): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Parley')
    .setDescription(
      'The backend for social wagering. Conventions: docs/api.md. Error codes: docs/errors.md. The sockets: [AsyncAPI](/docs/asyncapi.json).',
    )
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer('/')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'session')
    .build();
  const created = SwaggerModule.createDocument(app, builder, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  const document = withoutNullable(created) as OpenAPIObject;
  const components = (document.components ??= {});
  const schemas = (components.schemas ??= {}) as Record<string, Schema>;
  const specs = new Map(errorCatalogue());
  for (const { method, path, operation } of operationsOf(document)) {
    operation.operationId = aliasId(operation.operationId, path);
    if (operation[PUBLIC_EXTENSION] !== undefined) operation.security = [];
    describeSuccess(operation, schemas);
    const others = (further[operation.operationId] ?? []).map(({ code }) => code);
    describeFailures(operation, [...codesOf(operation, method, guards), ...others], specs);
    Reflect.deleteProperty(operation, PUBLIC_EXTENSION);
    Reflect.deleteProperty(operation, IDLE_EXTENSION);
    Reflect.deleteProperty(operation, ERRORS_EXTENSION);
    if (operation[PRODUCT_EXTENSION] === null) Reflect.deleteProperty(operation, PRODUCT_EXTENSION);
    operation[OPERATES_EXTENSION] ??= 'read';
  }
  schemas['Failure'] = FAILURE;
  components.headers = HEADERS as never;
  components.examples = failureExamples(specs) as never;
  components.responses = shareResponses(document) as never;
  return document;
}

function operationsOf(document: OpenAPIObject): { method: string; path: string; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({
      method,
      path,
      operation,
    })),
  );
}

/** A controller under several paths would number its operations; an alias is named after its path instead. */
function aliasId(operationId: string, path: string): string {
  const [, controller, method, index] = /^(\w+?)_(\w+)\[(\d+)\]$/.exec(operationId) ?? [];
  if (controller === undefined) return operationId;
  const resource = path.split('/').at(3) ?? controller;
  const name = index === '0' ? controller : `${resource.charAt(0).toUpperCase()}${resource.slice(1)}`;
  return `${name}_${method}`;
}

/** Every code the operation can answer: its own, the guards', and what any request may meet. */
function codesOf(operation: Operation, method: string, guards: GuardErrors): string[] {
  const reads = method === 'get';
  const signedIn = (operation.security ?? []).length > 0;
  const mayProve = (operation.parameters ?? []).some(({ name }) => name === DPOP_HEADER);
  const takesInput = (operation.parameters ?? []).some((parameter) => parameter.in !== 'header');
  const common = [
    ...(takesInput || !reads ? [httpErrors.VALIDATION_FAILED] : []),
    ...(reads
      ? []
      : [httpErrors.MALFORMED_JSON, httpErrors.BODY_TOO_LARGE, httpErrors.UNSUPPORTED_MEDIA_TYPE]),
    ...(signedIn ? guards.session : []),
    ...(signedIn && !reads && operation[IDLE_EXTENSION] === undefined ? guards.writing : []),
    ...(mayProve ? [dpopErrors.DPOP_PROOF_INVALID] : []),
    ...(operation[PERMISSIONS_EXTENSION] === undefined ? [] : guards.permission),
    ...guards.play(operation[OPERATES_EXTENSION] ?? 'read', operation[PRODUCT_EXTENSION] ?? null),
    httpErrors.RATE_LIMITED,
    httpErrors.INTERNAL_ERROR,
    httpErrors.SERVICE_UNAVAILABLE,
  ];
  return [...new Set([...(operation[ERRORS_EXTENSION] ?? []), ...common.map(({ code }) => code)])];
}

function describeSuccess(operation: Operation, schemas: Record<string, Schema>): void {
  const asked = operation.requestBody?.content['application/json'];
  if (asked) asked.example = exampleOf(asked.schema, schemas);
  for (const response of Object.values(operation.responses)) {
    if ('$ref' in response) continue;
    response.headers = { ...headers('X-Request-Id', ...RATE_LIMIT_HEADERS), ...response.headers };
    const answer = response.content?.['application/json'];
    if (answer) answer.example = exampleOf(answer.schema, schemas);
  }
}

function describeFailures(
  operation: Operation,
  codes: readonly string[],
  specs: ReadonlyMap<string, ErrorSpec>,
): void {
  const byStatus = Map.groupBy(codes, (code) => specs.get(code)?.status ?? 500);
  for (const [status, group] of byStatus) {
    const waits = status === 429 || status === 503;
    operation.responses[String(status)] = {
      description: group.join(', '),
      headers: headers('X-Request-Id', ...(waits ? (['Retry-After'] as const) : [])),
      content: {
        'application/json': {
          schema: failureOf(group),
          examples: Object.fromEntries(
            group.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
          ),
        },
      },
    };
  }
}

function headers(...names: (keyof typeof HEADERS)[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** The envelope with one of these codes. */
export function failureOf(codes: readonly string[]): object {
  return {
    allOf: [
      { $ref: '#/components/schemas/Failure' },
      { type: 'object', properties: { error: { type: 'object', properties: { code: { enum: codes } } } } },
    ],
  };
}

function failureExamples(specs: ReadonlyMap<string, ErrorSpec>): Record<string, object> {
  return Object.fromEntries(
    [...specs].map(([code, { message }]) => [code, { value: failureExample(code, message) }]),
  );
}

export function failureExample(code: string, message: string): object {
  return { success: false, error: { code, message, details: {}, requestId: REQUEST_ID } };
}

/** Moves the failures that several operations share into `components.responses`, and returns those. */
function shareResponses(document: OpenAPIObject): Record<string, Response> {
  const failures = operationsOf(document).flatMap(({ operation }) =>
    Object.entries(operation.responses)
      .filter((entry): entry is [string, Response] => Number(entry[0]) >= 400 && !('$ref' in entry[1]))
      .map(([status, response]) => ({ operation, status, response })),
  );
  const shared: Record<string, Response> = {};
  for (const [codes, uses] of Map.groupBy(failures, ({ response }) => response.description)) {
    if (uses.length < 2) continue;
    const name = codes.replaceAll(', ', '.');
    for (const { operation, status, response } of uses) {
      shared[name] = response;
      operation.responses[status] = { $ref: `#/components/responses/${name}` };
    }
  }
  return shared;
}

/** OpenAPI 3.1 has no `nullable`: such a schema may be null beside what it says. */
export function withoutNullable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullable);
  if (value === null || typeof value !== 'object') return value;
  const { nullable, ...rest } = value as Record<string, unknown>;
  const mapped = Object.fromEntries(
    Object.entries(rest).map(([key, inner]) => [key, withoutNullable(inner)]),
  );
  if (nullable !== true) return mapped;
  const { description, example, ...schema } = mapped;
  return {
    ...(description === undefined ? {} : { description }),
    ...(example === undefined ? {} : { example }),
    anyOf: [Array.isArray(schema['allOf']) ? schema['allOf'][0] : schema, { type: 'null' }],
  };
}
