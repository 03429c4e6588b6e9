import { json, type NextFunction, type Request, type Response } from 'express';
import { httpErrors } from './http.errors.js';

const LIMIT = '100kb';
/** Deeper than any body of ours; code that walks a value by calling itself may rely on it. */
const MAX_DEPTH = 20;

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

function requireShallow(request: Request, _response: Response, next: NextFunction): void {
  const deep = isDeeper(request.body, MAX_DEPTH);
  next(
    deep
      ? httpErrors.VALIDATION_FAILED({ problem: `the body is nested more than ${MAX_DEPTH} deep` })
      : undefined,
  );
}

function isDeeper(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** Reads JSON bodies. Any JSON value is parsed, so that the validation can say what is wrong with it. */
export const bodyMiddleware = [
  requireJson,
  json({ limit: LIMIT, strict: false, type: (request) => !isRead(request) }),
  requireShallow,
] as const;
