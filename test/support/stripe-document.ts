import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';

export const STRIPE_FIXTURES = join(import.meta.dirname, '../fixtures/stripe');

interface Operation {
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: object }[];
  readonly requestBody?: { content: Record<string, { schema: object }> };
}

/** What the stand-in reads of Stripe's own OpenAPI document. */
export interface StripeDocument {
  readonly info: { readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
}

export type Params = Record<string, unknown>;
export interface Refusal {
  readonly code: string;
  readonly param: string;
  readonly message: string;
}

export const FORM = 'application/x-www-form-urlencoded';
export const stripeDocument = JSON.parse(
  readFileSync(join(STRIPE_FIXTURES, 'operations.openapi.json'), 'utf8'),
) as StripeDocument;

export const stripeResources = JSON.parse(
  readFileSync(join(STRIPE_FIXTURES, 'resources.json'), 'utf8'),
) as Record<string, Record<string, unknown>>;

const formats = { 'unix-time': true, decimal: true, currency: true } as const;
const forms = new Ajv({ strict: false, formats });
const values = new Ajv({ strict: false, formats, coerceTypes: true });

const TEXTS: Record<string, object> = {
  integer: { type: 'string', pattern: '^-?\\d+$' },
  number: { type: 'string', pattern: '^-?\\d+(\\.\\d+)?$' },
  boolean: { type: 'string', enum: ['true', 'false'] },
};

interface Documented {
  /** Such as `POST /v1/refunds`. */
  readonly name: string;
  readonly path: RegExp;
  /** Of what stands in the form, where all is text: 25.00 is no integer there. */
  readonly valid: ValidateFunction;
  /** Makes of the text what it says. */
  readonly coerce: ValidateFunction;
}

const operations: readonly Documented[] = Object.entries(stripeDocument.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => {
    const schema = method === 'get' ? querySchema(operation) : formSchema(operation);
    return {
      name: `${method.toUpperCase()} ${path}`,
      path: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '([^/]+)')}$`),
      valid: forms.compile(asForm(schema)),
      coerce: values.compile(schema),
    };
  }),
);

/** The documented operation of a request and the id in its path; null when there is none. */
export function operationOf(method: string, path: string): { name: string; id: string | null } | null {
  const found = operations.find((each) => each.name.startsWith(`${method} `) && each.path.test(path));
  return found ? { name: found.name, id: found.path.exec(path)?.[1] ?? null } : null;
}

/** Coerces the strings of a form to what the document says they are, and tells the first thing that is wrong. */
export function checked(operation: string, params: Params): Refusal | null {
  const { valid, coerce } = operations.find(({ name }) => name === operation)!;
  if (valid(params)) {
    coerce(params);
    return null;
  }
  const error = valid.errors!.find(({ keyword }) => keyword !== 'anyOf') ?? valid.errors![0]!;
  return refusalOf(error);
}

/** Stripe's forms: `line_items[0][price_data][currency]=usd`. */
export function paramsOf(form: string): Params {
  const params: Params = {};
  for (const [name, value] of new URLSearchParams(form)) {
    const parts = name.split(/\[|\]\[|\]/).filter((part, index) => index === 0 || part !== '');
    let at = params;
    for (const part of parts.slice(0, -1)) at = (at[part] ??= {}) as Params;
    at[parts.at(-1)!] = value;
  }
  return withArrays(params) as Params;
}

function withArrays(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, withArrays(inner)] as const);
  const isList = entries.length > 0 && entries.every(([name], index) => name === String(index));
  return isList ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

function querySchema({ parameters = [] }: Operation): object {
  const query = parameters.filter((each) => each.in === 'query');
  return {
    type: 'object',
    properties: Object.fromEntries(query.map(({ name, schema }) => [name, schema])),
    required: query.filter(({ required }) => required === true).map(({ name }) => name),
  };
}

function formSchema({ requestBody }: Operation): object {
  return requestBody!.content[FORM]!.schema;
}

/** Numbers and booleans are text in a form, and an unknown field is refused however deep it stands, as the API does. */
function asForm(schema: unknown): object {
  if (Array.isArray(schema)) return schema.map(asForm);
  if (schema === null || typeof schema !== 'object') return schema as object;
  const text = 'type' in schema && typeof schema.type === 'string' ? TEXTS[schema.type] : undefined;
  if (text) return text;
  const inner = Object.fromEntries(Object.entries(schema).map(([name, each]) => [name, asForm(each)]));
  return 'properties' in inner && !('additionalProperties' in inner)
    ? { ...inner, additionalProperties: false }
    : inner;
}

function refusalOf({ keyword, instancePath, params, message }: ErrorObject): Refusal {
  const names = instancePath.split('/').filter(Boolean);
  const extra = (params as { additionalProperty?: string; missingProperty?: string }) ?? {};
  const leaf = extra.additionalProperty ?? extra.missingProperty;
  const [first = '', ...rest] = leaf === undefined ? names : [...names, leaf];
  const param = first + rest.map((name) => `[${name}]`).join('');
  const code =
    keyword === 'additionalProperties'
      ? 'parameter_unknown'
      : keyword === 'required'
        ? 'parameter_missing'
        : keyword === 'pattern'
          ? 'parameter_invalid_integer'
          : 'parameter_invalid';
  return { code, param, message: `${code}: ${param} ${message}` };
}
