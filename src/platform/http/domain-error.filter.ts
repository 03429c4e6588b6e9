import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ClsService } from 'nestjs-cls';
import { asUnavailable, errorCode } from '../database/database-errors.js';
import { newId } from '../database/ids.js';
import { DomainError } from './domain-error.js';
import { httpErrors } from './http.errors.js';

/** Values that Postgres refuses as text, numbers or times (NUL, lone surrogates, out of range): the caller's mistake. */
const UNSTORABLE = new Set(['22021', '22P05', '22003', '22P02', '22007', '22008']);

/** The one place where an error becomes an answer. What is not a DomainError tells no details. */
@Catch()
export class DomainErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Errors');

  constructor(private readonly cls: ClsService) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const response = http.getResponse<Response>();
    const error = toDomainError(thrown);
    if (error.spec.status >= 500)
      this.logger.error({
        err: error.cause ?? error,
        code: error.code,
        path: http.getRequest<Request>().path,
      });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const retryAfter = error.details['retryAfter'];
    if (typeof retryAfter === 'number') response.setHeader('Retry-After', String(retryAfter));
    response.status(error.spec.status).json(this.body(error, response));
  }

  private body(error: DomainError, response: Response): object {
    return {
      success: false,
      error: {
        code: error.code,
        message: error.message,
        details: error.details,
        requestId: this.requestId(response),
      },
    };
  }

  /** A path that cannot be decoded is refused before a request gets its id. */
  private requestId(response: Response): string {
    if (this.cls.isActive()) return this.cls.getId();
    const id = newId();
    response.setHeader('X-Request-Id', id);
    return id;
  }
}

/** Maps anything thrown to a declared code. Shared by REST and socket acknowledgements. */
export function toDomainError(thrown: unknown): DomainError {
  const error = asUnavailable(thrown);
  if (error instanceof DomainError) return error;
  if (error instanceof Error && error.message.startsWith('Failed to decode param'))
    return httpErrors.VALIDATION_FAILED({ problem: 'the path is not well-formed' });
  const { type, status } = error as { type?: unknown; status?: unknown };
  if (type === 'entity.too.large') return httpErrors.BODY_TOO_LARGE();
  if (type === 'charset.unsupported' || type === 'encoding.unsupported')
    return httpErrors.UNSUPPORTED_MEDIA_TYPE();
  if (typeof type === 'string' && /^(entity|request|stream|parameters)\./.test(type))
    return httpErrors.MALFORMED_JSON();
  if (error instanceof HttpException) {
    switch (error.getStatus()) {
      case 400:
        return httpErrors.MALFORMED_JSON();
      case 404:
        return httpErrors.NOT_FOUND();
      case 413:
        return httpErrors.BODY_TOO_LARGE();
      case 415:
        return httpErrors.UNSUPPORTED_MEDIA_TYPE();
      case 503:
        return httpErrors.SERVICE_UNAVAILABLE({ retryAfter: 2 }, { cause: error });
    }
  }
  if (status === 400) return httpErrors.MALFORMED_JSON();
  if (UNSTORABLE.has(errorCode(error) ?? ''))
    return httpErrors.VALIDATION_FAILED({ problem: 'a value cannot be stored' }, { cause: error });
  return httpErrors.INTERNAL_ERROR({}, { cause: error });
}
