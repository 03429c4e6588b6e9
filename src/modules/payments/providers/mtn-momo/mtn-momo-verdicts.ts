import { failed, type Verdict } from '../mobile-money/failure-codes.js';
import { isObject } from '../mobile-money/json-api.js';
import { readCode } from '../mobile-money/plain-text.js';

export type MtnProduct = 'collection' | 'disbursement';

/** What MTN says of a transaction that it refused, or that failed later. Of each: in a collection the payer is the user, else we are. */
const REASONS: ReadonlyMap<string, Readonly<Record<MtnProduct, Verdict>>> = new Map(
  Object.entries({
    NOT_ENOUGH_FUNDS: [failed('insufficient_funds'), failed('provider_balance_too_low')],
    LOW_BALANCE_OR_PAYEE_LIMIT_REACHED_OR_NOT_ALLOWED: [
      failed('insufficient_funds'),
      failed('provider_balance_too_low'),
    ],
    PAYER_LIMIT_REACHED: [failed('limit_reached'), failed('provider_refused')],
    PAYEE_LIMIT_REACHED: [failed('provider_refused'), failed('limit_reached')],
    PAYER_NOT_FOUND: [failed('account_not_found'), failed('provider_refused')],
    PAYEE_NOT_FOUND: [failed('provider_refused'), failed('account_not_found')],
    PAYEE_NOT_ALLOWED_TO_RECEIVE: [failed('provider_refused'), failed('account_not_allowed')],
    SENDER_ACCOUNT_NOT_ACTIVE: [failed('account_not_allowed'), failed('provider_refused')],
    APPROVAL_REJECTED: [failed('declined'), failed('declined')],
    PAYMENT_NOT_APPROVED: [failed('declined'), failed('declined')],
    TRANSACTION_CANCELED: [failed('declined', 'cancelled'), failed('declined', 'cancelled')],
    EXPIRED: [failed('timed_out', 'expired'), failed('timed_out', 'expired')],
    // The payer did not confirm within the five minutes that MTN gives.
    COULD_NOT_PERFORM_TRANSACTION: [failed('timed_out', 'expired'), failed('provider_error')],
    NOT_ALLOWED: [failed('provider_refused'), failed('provider_refused')],
    NOT_ALLOWED_TARGET_ENVIRONMENT: [failed('provider_refused'), failed('provider_refused')],
    INVALID_CALLBACK_URL_HOST: [failed('provider_refused'), failed('provider_refused')],
    INVALID_CURRENCY: [failed('provider_refused'), failed('provider_refused')],
  } satisfies Record<string, [collection: Verdict, disbursement: Verdict]>).map(
    ([code, [collection, disbursement]]) => [code, { collection, disbursement }],
  ),
);

const DUPLICATE: Verdict = { is: 'duplicate' };
const MISSING: Verdict = { is: 'missing' };
const UNKNOWN: Verdict = { is: 'unknown' };

/**
 * Of an answer to a request that was not taken. MTN tells refusals with status 500 as well, so the code decides before the
 * status does; what neither decides (INTERNAL_PROCESSING_ERROR, SERVICE_UNAVAILABLE) is unknown: it may have been done.
 */
export function verdictOf(product: MtnProduct, status: number, code: string | null): Verdict {
  if (status === 409 || code === 'RESOURCE_ALREADY_EXIST') return DUPLICATE;
  const known = REASONS.get(code ?? '');
  if (known) return known[product];
  if (code === 'RESOURCE_NOT_FOUND') return MISSING;
  return [400, 403, 404].includes(status) ? failed('provider_refused') : UNKNOWN;
}

/** Of a transaction whose status MTN tells. A status that is in no document of MTN's is unknown: it is not guessed. */
export function verdictOfStatus(product: MtnProduct, status: unknown, reason: string | null): Verdict {
  switch (readCode(status)) {
    case 'SUCCESSFUL':
      return { is: 'succeeded' };
    case 'CREATED':
    case 'PENDING':
    case 'ONGOING':
      return { is: 'pending' };
    case 'REJECTED':
      return failed('declined');
    case 'TIMEOUT':
      return failed('timed_out', 'expired');
    case 'FAILED':
      return REASONS.get(reason ?? '')?.[product] ?? failed('provider_error');
    default:
      return UNKNOWN;
  }
}

/** The reason, which MTN gives as a code, or as an object with a code, in one case or another. */
export function reasonOf(body: Readonly<Record<string, unknown>>): string | null {
  const { reason } = body;
  return readCode(isObject(reason) ? reason['code'] : reason) ?? readCode(body['code']);
}

/** The gateway itself says 404 (with `statusCode`) when a path is wrong; then it tells nothing of the transaction. */
export function isMissing(status: number, body: Readonly<Record<string, unknown>>): boolean {
  return status === 404 && !('statusCode' in body);
}
