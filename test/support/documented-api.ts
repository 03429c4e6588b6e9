import { randomUUID } from 'node:crypto';
import {
  type Answer,
  type DocumentedOperation,
  follow,
  type OpenApiDocument,
  operationsOf,
} from '../../scripts/openapi/document.js';
import { Schemas } from '../../scripts/openapi/schemas.js';
import type { Answer as Answered, Client } from './client.js';

/** Operations that need a Google or an Apple: called by a test that has them. */
export const WITH_PROVIDER = [
  'OAuthBrowser_begin',
  'OAuthBrowser_finish',
  'OAuth_link',
  'OAuth_reauthenticate',
  'OAuth_signIn',
  'OAuth_unlink',
];

/** Calls operations by their names, and holds what they answer against the document, to the property. */
export class DocumentedApi {
  /** What did not answer as the document says, or did not answer with a success. */
  readonly wrong: string[] = [];
  private readonly schemas: Schemas;
  private readonly operations: Map<string, DocumentedOperation>;
  private readonly called = new Set<string>();

  constructor(private readonly document: OpenApiDocument) {
    this.schemas = new Schemas(sealed(document));
    this.operations = new Map(operationsOf(document).map((one) => [String(one.operation.operationId), one]));
  }

  /** The operations that were not called, by name. */
  uncalled(): string[] {
    return [...this.operations.keys()].filter((id) => !this.called.has(id)).toSorted();
  }

  async call(
    id: string,
    client: Client,
    values: Record<string, string> = {},
    body?: object,
    query = '',
  ): Promise<Answered['data']> {
    const { method, path, operation } = this.operations.get(id)!;
    this.called.add(id);
    const filled = path.replace('/api/v1/', '').replace(/\{(\w+)\}/g, (_, name: string) => values[name]!);
    const answer = await client.call(method, `${filled}${query}`, {
      key: randomUUID(),
      ...(body ? { body } : {}),
    });
    const declared = operation.responses[String(answer.status)];
    const media = declared && follow<Answer>(this.document, declared)?.content?.['application/json'];
    const misfit = media
      ? this.schemas.misfit(media.schema, answer.body)
      : `${answer.status} ${answer.error?.code}`;
    if (misfit !== null || answer.status >= 300)
      this.wrong.push(`${id}: ${misfit ?? JSON.stringify(answer.error)}`);
    return answer.data;
  }

  /** That the operation sends browsers on from there, as the document says. */
  sendsOn(id: string, page: { status: number; headers: Headers }): void {
    const declared = this.operations.get(id)!.operation.responses[String(page.status)];
    this.called.add(id);
    const told = declared && 'headers' in declared && Object.keys(declared.headers as object);
    if (page.status !== 302 || !told || told.some((name) => !page.headers.has(name)))
      this.wrong.push(`${id}: ${page.status}, ${JSON.stringify(told)}`);
  }
}

/** The document with every object closed: a property that is not declared does not fit. */
export function sealed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sealed) as T;
  if (value === null || typeof value !== 'object') return value;
  const inner = Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, /^examples?$/.test(key) ? one : sealed(one)]),
  );
  const isObject = inner['type'] === 'object' && typeof inner['properties'] === 'object';
  return (isObject ? { additionalProperties: false, ...inner } : inner) as T;
}
