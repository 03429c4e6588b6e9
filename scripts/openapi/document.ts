import 'reflect-metadata';
import { describeApi } from '../../src/bootstrap.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { errorCatalogue, type ErrorSpec } from '../../src/platform/http/domain-error.js';
import type { AsyncApiDocument } from '../../src/platform/realtime/asyncapi.js';

/** What the checks and the pages look at of a schema. */
export type Schema = Record<string, unknown>;

export interface Reference {
  $ref: string;
}

export interface MediaType {
  schema: Schema;
  example?: unknown;
  examples?: Record<string, Reference | { value: unknown }>;
}

export interface Answer {
  description: string;
  content?: Record<string, MediaType>;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  example?: unknown;
  schema: Schema;
}

export interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, MediaType> };
  responses: Record<string, Answer | Reference>;
  'x-permissions'?: string[];
}

export interface OpenApiDocument {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, unknown>>;
}

export interface DocumentedOperation {
  /** `POST /api/v1/bets` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The documents of a production system, with all error codes of its modules. Needs no database and no Redis. */
export async function describeProduct(): Promise<{
  document: OpenApiDocument;
  sockets: AsyncApiDocument;
  catalogue: ReadonlyMap<string, ErrorSpec>;
}> {
  const config = loadAppConfig({
    // Read, never connected to.
    DATABASE_URL: 'postgres://127.0.0.1/none',
    REDIS_URL: 'redis://127.0.0.1',
    JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----',
  });
  const { openapi, asyncapi } = plain(await describeApi(config));
  const document = openapi as unknown as OpenApiDocument;
  return { document, sockets: asyncapi, catalogue: new Map(errorCatalogue()) };
}

export function operationsOf(document: OpenApiDocument): DocumentedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

/** What the reference leads to; the value itself when it is none; undefined when it leads nowhere. */
export function follow<T extends object>(document: object, value: T | Reference): T | undefined {
  if (!isReference(value)) return value;
  let found: unknown = document;
  for (const step of value.$ref.replace(/^#\//, '').split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    found = (found as Record<string, unknown> | undefined)?.[key];
  }
  return found as T | undefined;
}

function isReference(value: object): value is Reference {
  return '$ref' in value;
}

/** The codes an operation can answer by status, as its examples name them. */
export function codesOf(document: OpenApiDocument, operation: Operation): Map<number, string[]> {
  return new Map(
    Object.entries(operation.responses)
      .filter(([status]) => Number(status) >= 400)
      .map(([status, answer]) => [
        Number(status),
        Object.keys(follow<Answer>(document, answer)?.content?.['application/json']?.examples ?? {}),
      ]),
  );
}

/** As it travels: without properties that are undefined. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
