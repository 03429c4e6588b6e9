import type { Logger } from '@nestjs/common';
import type { ProviderState } from '../../provider.js';
import type { FailureCode, Verdict } from './failure-codes.js';

/** The state that a verdict is. What neither failed nor succeeded is pending: it is asked about again. */
export function stateOf(providerReference: string, verdict: Verdict): ProviderState {
  if (verdict.is === 'failed')
    return { providerReference, status: verdict.status, paid: null, failureCode: verdict.failureCode };
  const status = verdict.is === 'succeeded' ? 'succeeded' : 'pending';
  return { providerReference, status, paid: null, failureCode: null };
}

/** Failures that an operator has to mend. */
const OURS: ReadonlySet<FailureCode> = new Set(['provider_refused', 'provider_balance_too_low']);

/** Tells a failure that is none of the payer's. `said` is what the provider said, without anybody's number. */
export function tellFailure(logger: Logger, verdict: Verdict, said: string): void {
  if (verdict.is !== 'failed') return;
  const line = `failed by ${verdict.failureCode}: ${said}`;
  if (OURS.has(verdict.failureCode)) logger.error(line);
  else if (verdict.failureCode === 'provider_error') logger.warn(line);
}
