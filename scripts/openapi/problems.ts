import { Validator } from '@seriousme/openapi-schema-validator';
import type { ErrorSpec } from '../../src/platform/http/domain-error.js';
import type { AsyncApiDocument } from '../../src/platform/realtime/asyncapi.js';
import { repliesOf } from './asyncapi.js';
import {
  type Answer,
  codesOf,
  type DocumentedOperation,
  follow,
  type MediaType,
  type OpenApiDocument,
  type Operation,
  operationsOf,
  type Parameter,
} from './document.js';
import { unresolved } from './references.js';
import { Schemas } from './schemas.js';

const JSON_TYPE = 'application/json';
const DOWNLOADS = ['application/zip', 'text/csv'];
const EVERYWHERE = ['RATE_LIMITED', 'INTERNAL_ERROR', 'SERVICE_UNAVAILABLE'];
/** Codes that no operation answers and no socket: an address that is none, a provider's webhook. */
const OUTSIDE = new Set([
  'NOT_FOUND',
  'KYC_PROVIDER_UNKNOWN',
  'KYC_WEBHOOK_INVALID',
  'WEBHOOK_MALFORMED',
  'WEBHOOK_SIGNATURE_INVALID',
  // To a feed, which is no client.
  'RESULT_CLOSED',
  // The ledger's to the modules that post, which no request can bring about by itself.
  'ALREADY_REVERSED',
  'HOLD_NOT_FOUND',
  'HOLD_NOT_OPEN',
  'HOLD_TOO_SMALL',
  'LEDGER_REFERENCE_REUSED',
  'TRANSFER_NOT_FOUND',
  'TRANSFER_NOT_REVERSIBLE',
]);

type Catalogue = ReadonlyMap<string, ErrorSpec>;

/** All that is wrong with the document, one line each: nothing when it may be published. */
export async function problemsOf(
  document: OpenApiDocument,
  sockets: AsyncApiDocument,
  catalogue: Catalogue,
): Promise<string[]> {
  const operations = operationsOf(document);
  const examples = new Examples(document);
  return [
    ...(await notOpenApi(document)),
    ...unresolved(document),
    ...nullables(document, '#'),
    ...repeatedIds(operations),
    ...operations.flatMap((operation) => [
      ...described(operation),
      ...inputs(document, operation, examples),
      ...success(document, operation, examples),
      ...failures(document, operation, catalogue, examples),
    ]),
    ...unanswered(document, operations, sockets, catalogue),
  ];
}

async function notOpenApi(document: OpenApiDocument): Promise<string[]> {
  if (!document.openapi.startsWith('3.1.')) return [`the document is OpenAPI ${document.openapi}, not 3.1`];
  const result = await new Validator().validate(
    structuredClone(document) as unknown as Record<string, unknown>,
  );
  if (result.valid) return [];
  const errors = typeof result.errors === 'string' ? [result.errors] : (result.errors ?? ['no reason given']);
  return errors.map(
    (error) => `not valid OpenAPI 3.1: ${typeof error === 'string' ? error : JSON.stringify(error)}`,
  );
}

function nullables(value: unknown, at: string): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'example' || key === 'examples') return [];
    const here =
      key === 'nullable' && typeof inner === 'boolean' ? [`nullable at ${at}: OpenAPI 3.1 has none`] : [];
    return [...here, ...nullables(inner, `${at}/${key}`)];
  });
}

function repeatedIds(operations: readonly DocumentedOperation[]): string[] {
  return [...Map.groupBy(operations, ({ operation }) => operation.operationId)]
    .filter(([id, users]) => id === undefined || users.length > 1)
    .map(([id, users]) => `operationId ${id ?? '(none)'}: ${users.map(({ name }) => name).join(', ')}`);
}

function described({ name, path, operation }: DocumentedOperation): string[] {
  const { summary = '', tags = [], security, parameters = [] } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  const declared = parameters
    .filter((parameter) => parameter.in === 'path')
    .map((parameter) => parameter.name);
  return [
    ...(summary.trim() === '' ? [`${name} has no summary`] : []),
    ...(tags.length === 0 ? [`${name} has no tag`] : []),
    ...(security === undefined
      ? [`${name} says neither which session it asks for nor that it is public`]
      : []),
    ...(inPath.length === declared.length && inPath.every((parameter) => declared.includes(parameter))
      ? []
      : [`${name} declares other path parameters`]),
  ];
}

function inputs(
  document: OpenApiDocument,
  { name, operation }: DocumentedOperation,
  examples: Examples,
): string[] {
  const parameters = (operation.parameters ?? []).flatMap((parameter: Parameter) => {
    const example = parameter.example ?? parameter.schema['example'];
    if (example === undefined)
      return parameter.required === true ? [`${name}: ${parameter.name} has no example`] : [];
    return examples.check(`${name} ${parameter.in} ${parameter.name}`, parameter.schema, example);
  });
  const body = operation.requestBody && follow(document, operation.requestBody);
  const asked = body?.content[JSON_TYPE];
  if (body !== undefined && asked === undefined && !isFile(body.content))
    return [...parameters, `${name} takes a body that is not JSON`];
  return [...parameters, ...(asked ? examples.checkMedia(`${name} body`, asked) : [])];
}

/** A file is a body of its own, told byte by byte. */
function isFile(content: Record<string, MediaType>): boolean {
  const media = Object.values(content);
  return media.length > 0 && media.every(({ schema }) => schema['format'] === 'binary');
}

function success(
  document: OpenApiDocument,
  { name, operation }: DocumentedOperation,
  examples: Examples,
): string[] {
  const done = Object.entries(operation.responses).filter(([status]) => /^[23]/.test(status));
  // One that may have to wait for something answers 202 then.
  const own = done.filter(([status], index) => index === 0 || status !== '202');
  if (own.length !== 1) return [`${name} has ${own.length} answers of success`];
  // A browser that is sent on is given an address and nothing else.
  const sentOn = operation.responses['302'];
  if (sentOn) return 'headers' in sentOn ? [] : [`${name} does not say whither it sends`];
  return done.flatMap(([status, answer]) => {
    // A download is bytes, of which no example says anything.
    const content = follow<Answer>(document, answer)?.content ?? {};
    if (DOWNLOADS.some((type) => type in content)) return [];
    const media = mediaOf(document, operation, status);
    return media ? examples.checkMedia(`${name} ${status}`, media) : [`${name} ${status} has no JSON schema`];
  });
}

function failures(
  document: OpenApiDocument,
  { name, operation }: DocumentedOperation,
  catalogue: Catalogue,
  examples: Examples,
): string[] {
  const byStatus = codesOf(document, operation);
  const all = new Set([...byStatus.values()].flat());
  const signedIn = (operation.security ?? []).length > 0;
  const expected = [
    ...EVERYWHERE,
    ...(signedIn ? ['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'SESSION_ENDED'] : []),
    ...(operation['x-permissions'] ? ['FORBIDDEN'] : []),
    ...(operation.requestBody ? ['VALIDATION_FAILED', 'MALFORMED_JSON', 'BODY_TOO_LARGE'] : []),
  ];
  return [
    ...expected
      .filter((code) => !all.has(code))
      .map((code) => `${name} does not say that it answers ${code}`),
    ...[...byStatus].flatMap(([status, codes]) => [
      ...(codes.length === 0 ? [`${name} ${status} names no code`] : []),
      ...codes
        .filter((code) => catalogue.get(code)?.status !== status)
        .map((code) => `${name} answers ${code} with ${status}, but it is declared otherwise`),
      ...codes.flatMap((code) =>
        examples.checkFailure(`${name} ${code}`, mediaOf(document, operation, status), code),
      ),
    ]),
  ];
}

function mediaOf(
  document: OpenApiDocument,
  operation: Operation,
  status: string | number,
): MediaType | undefined {
  const answer = operation.responses[String(status)];
  return answer && follow<Answer>(document, answer)?.content?.[JSON_TYPE];
}

/** A code that nothing answers is dead, or its operation does not declare it. */
function unanswered(
  document: OpenApiDocument,
  operations: readonly DocumentedOperation[],
  sockets: AsyncApiDocument,
  catalogue: Catalogue,
): string[] {
  const answered = new Set([
    ...operations.flatMap(({ operation }) => [...codesOf(document, operation).values()].flat()),
    ...repliesOf(sockets).flatMap(({ codes }) => codes),
  ]);
  return [...catalogue.keys()]
    .filter((code) => !answered.has(code) && !OUTSIDE.has(code))
    .map((code) => `nothing says that it answers ${code}`);
}

/** The examples, each against its schema. */
class Examples {
  private readonly schemas: Schemas;

  constructor(private readonly document: OpenApiDocument) {
    this.schemas = new Schemas(document);
  }

  checkMedia(what: string, { schema, example }: MediaType): string[] {
    return example === undefined ? [`${what} has no example`] : this.check(what, schema, example);
  }

  checkFailure(what: string, media: MediaType | undefined, code: string): string[] {
    const listed = media?.examples?.[code];
    const example = listed && follow<{ value: unknown }>(this.document, listed);
    return media && example ? this.check(what, media.schema, example.value) : [`${what} has no example`];
  }

  check(what: string, schema: object, example: unknown): string[] {
    const misfit = this.schemas.misfit(schema, example);
    return misfit === null ? [] : [`${what}: its example does not fit its schema: ${misfit}`];
  }
}
