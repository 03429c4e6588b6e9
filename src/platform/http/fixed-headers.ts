import type { Request, RequestHandler, Response } from 'express';

/**
 * What a middleware sets in the headers of every answer alike, asked once and not at each request; but for the paths below
 * `except`. Only for one whose headers depend on nothing in the request.
 */
export function fixedHeaders(middleware: RequestHandler, except: string): RequestHandler {
  const headers = new Map<string, string>();
  const response = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
  };
  void middleware({} as Request, response as unknown as Response, () => undefined);
  const pairs = [...headers];
  return (request, answer, next) => {
    if (!request.url.startsWith(except)) for (const [name, value] of pairs) answer.setHeader(name, value);
    next();
  };
}
