import { json, type NextFunction, type Request, type Response } from 'express';
import { httpErrors } from './http.errors.js';

const LIMIT = '100kb';
/** Deeper than any body of ours; code that walks a value by calling itself may rely on it. */
const MAX_DEPTH = 20;
/** Names that reach an object's prototype. They are refused, not stripped: unknown properties always are. */
const PROTOTYPE = new Set(['__proto__', 'constructor', 'prototype']);

/** A body of another kind is refused by name, not read as none. */
function requireJson(request: Request, _response: Response, next: NextFunction): void {
  const { 'content-length': length = '0', 'transfer-encoding': chunked } = request.headers;
  const hasBody = chunked !== undefined || Number(length) > 0;
  next(
    hasBody && !isRead(request) && !request.is('application/json')
      ? httpErrors.UNSUPPORTED_MEDIA_TYPE()
      : undefined,
  );
}

/** Reads take no body: what comes with one is not looked at. */
function isRead({ method }: { method?: string | undefined }): boolean {
  return method === 'GET' || method === 'HEAD';
}

function requirePlain(request: Request, _response: Response, next: NextFunction): void {
  const problem = problemOf(request.body, 0);
  next(problem === null ? undefined : httpErrors.VALIDATION_FAILED({ problem }));
}

function problemOf(value: unknown, depth: number): string | null {
  if (value === null || typeof value !== 'object') return null;
  if (depth === MAX_DEPTH) return `the body is nested more than ${MAX_DEPTH} deep`;
  for (const [name, inner] of Object.entries(value)) {
    const problem = PROTOTYPE.has(name) ? `property ${name} should not exist` : problemOf(inner, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

/** Reads JSON bodies. Any JSON value is parsed, so that the validation can say what is wrong with it. */
export const bodyMiddleware = [
  requireJson,
  json({ limit: LIMIT, strict: false, type: (request) => !isRead(request) }),
  requirePlain,
] as const;
