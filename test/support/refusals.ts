import type { DocumentedOperation, OpenApiDocument } from '../../scripts/openapi/document.js';
import { codesOf } from '../../scripts/openapi/document.js';

/** A request as it is sent, to the byte. */
export interface Shot {
  readonly what: string;
  readonly method: string;
  /** From the root, with the query. */
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

export interface Hit {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a failure in its envelope. */
  readonly code: string | undefined;
}

export async function shoot(url: string, { method, path, headers = {}, body }: Shot): Promise<Hit> {
  const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, code: codeIn(text) };
}

function codeIn(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { error?: { code?: string } } | null)?.error?.code;
  } catch {
    return undefined;
  }
}

/** Runs the work on all items, some at a time. */
export async function inBatches<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  width = 24,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

/** What is wrong with a failure as such: its envelope, to the property; null when nothing is. */
export function brokenEnvelope({ status, headers, text }: Hit): string | null {
  if (status >= 500 || status < 400) return `status ${status}`;
  if (headers.get('content-type') !== 'application/json; charset=utf-8') return 'not JSON';
  const body = JSON.parse(text) as Record<string, unknown>;
  const error = body['error'] as Record<string, unknown>;
  if (Object.keys(body).join() !== 'success,error' || body['success'] !== false) return 'another envelope';
  if (Object.keys(error).join() !== 'code,message,details,requestId') return 'another error';
  if (typeof error['message'] !== 'string' || typeof error['details'] !== 'object')
    return 'fields of another type';
  if (error['requestId'] !== headers.get('x-request-id') || error['requestId'] === '') return 'no request id';
  if (/\bat \S+ \(\S+:\d+|node_modules|violates|syntax error at/.test(text)) return 'it tells of its inside';
  return null;
}

/** What is wrong with the answer of an operation that had to refuse; null when nothing is. */
export function wrongRefusal(
  document: OpenApiDocument,
  { operation }: DocumentedOperation,
  hit: Hit,
  expected: readonly string[],
): string | null {
  const broken = brokenEnvelope(hit);
  if (broken !== null) return broken;
  const { status, code = '' } = hit;
  if (!codesOf(document, operation).get(status)?.includes(code)) return `${status} ${code} is not declared`;
  if (expected.length > 0 && !expected.includes(code)) return `${code} instead of ${expected.join(' or ')}`;
  return null;
}
