import { errorCode } from '../database/database-errors.js';

const DEPTH = 3;

/**
 * What a log tells of an error. Only these fields: a failed statement carries its parameters and a refused Redis
 * command its arguments, which may be secrets or personal.
 */
export function errorFields(error: unknown, depth = DEPTH): object {
  if (!(error instanceof Error)) return { message: 'something that is no error was thrown' };
  const code = errorCode(error);
  return {
    type: error.name,
    message: error.message,
    ...(code === null ? {} : { code }),
    stack: error.stack,
    ...(error.cause === undefined || depth === 0 ? {} : { cause: errorFields(error.cause, depth - 1) }),
  };
}
