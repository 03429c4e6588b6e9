import Stripe from 'stripe';
import { paymentsErrors } from '../../payments.errors.js';
import type { ProviderState } from '../../provider.js';
import { UnsayableAmountError } from './stripe-amounts.js';

const { errors } = Stripe;

/** Stripe did not answer what was asked. Thrown as it is for our own mistakes: a wrong key, a key used twice, a field that is not. */
export class StripeFailureError extends Error {}

/** Of a checkout: what the order asks for is not to be had. Everything else that is invalid there is our own mistake. */
const ORDER_CODES = new Set(['amount_too_large', 'amount_too_small', 'invalid_charge_amount']);

const REFUSALS = [errors.StripeInvalidRequestError, errors.StripeCardError] as const;
const MISTAKES = [
  errors.StripeAuthenticationError,
  errors.StripePermissionError,
  errors.StripeIdempotencyError,
] as const;

/** Asks Stripe. Throws PROVIDER_UNAVAILABLE when what came of it is not known, or it has to be asked later. */
export async function asking<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw failureOf(error);
  }
}

/** Asks for something that may not exist. */
export async function askingFor<T>(question: () => Promise<T>): Promise<T | null> {
  try {
    return await question();
  } catch (error) {
    if (isRefusal(error) && error.code === 'resource_missing') return null;
    throw failureOf(error);
  }
}

/**
 * Asks for an effect. That Stripe refuses it is an answer: the state is `failed` under the reference `ours`, since Stripe
 * has given none. Of refunds and transfers whatever is invalid says for sure that nothing has moved; of checkouts only what is
 * about the order.
 */
export async function refusable<T, State extends ProviderState>(
  ours: string,
  about: 'order' | 'money',
  question: () => Promise<T>,
  read: (answer: T) => State,
): Promise<State | ProviderState> {
  let answer: T;
  try {
    answer = await question();
  } catch (error) {
    if (error instanceof UnsayableAmountError) return refused(ours, 'amount_not_possible');
    if (!isRefusal(error)) throw failureOf(error);
    const declined = error instanceof errors.StripeCardError;
    if (!declined && about === 'order' && !ORDER_CODES.has(error.code ?? '')) throw failureOf(error);
    return refused(ours, error.decline_code ?? error.code ?? 'refused');
  }
  return read(answer);
}

/** Nothing was moved, and there is nothing at Stripe to ask about. */
export function refused(providerReference: string, failureCode: string): ProviderState {
  return { providerReference, status: 'failed', paid: null, failureCode };
}

/** Stripe has decided, and nothing has been done. */
function isRefusal(error: unknown): error is Stripe.errors.StripeError {
  return error instanceof errors.StripeError && REFUSALS.some((kind) => error instanceof kind);
}

/** A request under the same key that is still at work (409) is told by the library as a failure of theirs: to be asked again. */
function failureOf(error: unknown): unknown {
  if (!(error instanceof errors.StripeError)) return error;
  const ours = [...REFUSALS, ...MISTAKES].some((kind) => error instanceof kind);
  const told = summaryOf(error);
  return ours ? told : paymentsErrors.PROVIDER_UNAVAILABLE({ provider: 'stripe' }, { cause: told });
}

/** What a log needs to find it at Stripe, without the message: that one quotes values, the key's end among them. */
function summaryOf(error: Stripe.errors.StripeError): StripeFailureError {
  const { type, statusCode, code, param, requestId } = error;
  const told = Object.entries({ statusCode, code, param, requestId }).filter(
    ([, value]) => value !== undefined,
  );
  return new StripeFailureError(`${type} ${told.map(([name, value]) => `${name}=${value}`).join(' ')}`);
}
