import { DatabaseError } from 'pg';
import { QueryFailedError } from 'typeorm';
import { DomainError } from '../http/domain-error.js';
import { httpErrors } from '../http/http.errors.js';

/** SQLSTATEs and system codes of a Postgres that is away, or too busy to answer in time (57014: statement_timeout). */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '53300',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '25P03',
]);

const RETRYABLE = new Set(['40P01', '40001']);

const ABORTED = '25P02';

interface PgLikeError {
  code?: unknown;
  detail?: unknown;
  constraint?: unknown;
  message?: unknown;
}

/** The error as `pg` raised it, whether or not TypeORM wrapped it. */
export function driverError(error: unknown): PgLikeError {
  return (error instanceof QueryFailedError ? (error.driverError as PgLikeError) : error) ?? {};
}

/** The SQLSTATE or the system's error code, or null. */
export function errorCode(error: unknown): string | null {
  const { code } = driverError(error);
  return typeof code === 'string' ? code : null;
}

/** True for a deadlock or a serialisation failure: the whole transaction may be run again. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(errorCode(error) ?? '');
}

/** True when the statement itself is wrong (SQLSTATE class 42, or its parameters do not fit): no other values make it right. */
export function isMistake(error: unknown): boolean {
  const code = errorCode(error);
  return code === '08P01' || code?.startsWith('42') === true;
}

/** True when a statement was refused because an earlier one of its transaction had failed. */
export function isAborted(error: unknown): boolean {
  return errorCode(error) === ABORTED;
}

/** True when the server itself refused the statement and goes on listening; false when the connection is lost or stuck. */
export function leavesConnectionUsable(error: unknown): boolean {
  const driver = driverError(error);
  return driver instanceof DatabaseError && driver.severity !== 'FATAL' && driver.severity !== 'PANIC';
}

/** True when the constraint of that name (or any unique one) refused the write. */
export function violates(error: unknown, constraint: string): boolean {
  const { code, constraint: name } = driverError(error);
  return (code === '23505' || code === '23503' || code === '23514') && name === constraint;
}

function messageOf(error: unknown): string {
  const { message } = driverError(error);
  return typeof message === 'string' ? message : '';
}

/**
 * A lost or unreachable Postgres becomes SERVICE_UNAVAILABLE; every other error is returned as it is. TypeORM calls a
 * connection that was lost between two statements of a transaction released.
 */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  const message = messageOf(error);
  const lost =
    UNREACHABLE.has(errorCode(error) ?? '') ||
    /Connection terminated|connection timeout|timeout exceeded when trying to connect|Query read timeout|Cannot use a pool after|Client was closed|Client has encountered a connection error|query runner was already released|Query runner already released/i.test(
      message,
    );
  return lost ? httpErrors.SERVICE_UNAVAILABLE({ part: 'database', retryAfter: 2 }, { cause: error }) : error;
}
