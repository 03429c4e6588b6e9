import { applyDecorators, Redirect } from '@nestjs/common';
import { ApiExtension, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { ErrorFactory } from '../../../platform/http/domain-error.js';
import { ERRORS_EXTENSION } from '../../../platform/http/operation.decorator.js';

/** What a handler of such a route returns. */
export interface Redirection {
  url: string;
  statusCode: number;
}

/** A route that answers by sending a browser on. It has no body of success; refusals come in the usual envelope. */
export function RedirectOperation(options: {
  summary: string;
  description?: string;
  /** Whither. */
  target: string;
  errors: readonly ErrorFactory[];
}): MethodDecorator {
  const { summary, description, target, errors } = options;
  return applyDecorators(
    Redirect(),
    ApiOperation({ summary, ...(description === undefined ? {} : { description }) }),
    ApiResponse({
      status: 302,
      description: target,
      headers: { Location: { description: target, schema: { type: 'string', format: 'uri' } } },
    }),
    ApiExtension(
      ERRORS_EXTENSION,
      errors.map(({ code }) => code),
    ),
  );
}
