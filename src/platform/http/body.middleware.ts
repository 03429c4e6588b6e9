import { json, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { httpErrors } from './http.errors.js';

const LIMIT = '100kb';
/** Deeper than any body of ours; code that walks a value by calling itself may rely on it. */
const MAX_DEPTH = 20;

// Any JSON value is parsed, so that the validation can say what is wrong with it.
const parse = json({ limit: LIMIT, strict: false, type: () => true });

/** Where the body is a file of one of these types. */
interface Upload {
  readonly path: string;
  readonly types: readonly string[];
}

/**
 * Reads JSON bodies. A body of another kind is refused by name, not read as none. Reads (GET, HEAD) take no body: what
 * comes with one is not looked at. What is no JSON, or must be seen as it came, has its own reader: paths of `except`, and all
 * paths below one of them that ends with a slash. Files of the `uploads` are left to their routes, behind the guards; JSON there
 * is read as everywhere.
 */
export function bodyMiddleware(except: readonly string[], uploads: readonly Upload[] = []): RequestHandler {
  const exact = new Set(except);
  const folders = except.filter((path) => path.endsWith('/'));
  return (request, response, next) => {
    const upload = uploads.find(({ path }) => path === request.path);
    if (upload && request.is([...upload.types]) !== false && hasBody(request)) next();
    else if (exact.has(request.path) || folders.some((folder) => request.path.startsWith(folder))) next();
    else readBody(request, response, next);
  };
}

function readBody(request: Request, response: Response, next: NextFunction): void {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  if (hasBody(request) && !isJson(request)) return next(httpErrors.UNSUPPORTED_MEDIA_TYPE());
  parse(request, response, (error?: unknown) => {
    if (error === undefined && isDeeper(request.body, MAX_DEPTH))
      next(httpErrors.VALIDATION_FAILED({ problem: `the body is nested more than ${MAX_DEPTH} deep` }));
    else next(error);
  });
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function isJson(request: Request): boolean {
  return request.headers['content-type'] === 'application/json' || request.is('application/json') !== false;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
