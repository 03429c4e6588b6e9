import { defineMachine } from '../../../../platform/state-machine.js';

export type LimitState = 'unset' | 'active' | 'raising' | 'removing';
/** `set` is at once: the first limit, and any lower one. `ask_…` is what waits. */
export type LimitEvent = 'set' | 'ask_more' | 'ask_none' | 'take_back' | 'confirm' | 'lapse';

/** Each way to ask leads to the same state wherever it is asked, and begins its wait anew. */
const ASKING = { ask_more: 'raising', ask_none: 'removing' } as const;

/**
 * The life of a limit. Setting one, or a lower one, works at once and undoes what was asked for; to have more, or none, is asked for,
 * waits, and takes the user's own confirmation. UKGC RTS 12, AGCO 2.24.
 */
export const limitMachine = defineMachine<LimitState, LimitEvent>('limit', {
  initial: 'unset',
  transitions: {
    unset: { set: 'active' },
    active: { set: 'active', ...ASKING },
    raising: { set: 'active', ...ASKING, take_back: 'active', confirm: 'active', lapse: 'active' },
    removing: { set: 'active', ...ASKING, take_back: 'active', confirm: 'unset', lapse: 'active' },
  },
});

export interface LimitRequest {
  /** Null: none at all. */
  readonly amount: bigint | null;
  readonly askedAt: Date;
  /** As the place said when it was asked. */
  readonly waitHours: number;
}

/** A limit as it stands. */
export interface Limit {
  readonly state: LimitState;
  /** In force, in minor units; null: none. */
  readonly amount: bigint | null;
  readonly request: LimitRequest | null;
}

/** How long a request waits and is open. `waitHours`: what the place says now. */
export interface LimitTerms {
  readonly waitHours: number;
  readonly confirmHours: number;
}

export const NO_LIMIT: Limit = { state: limitMachine.initial, amount: null, request: null };

/** When a request can be confirmed, and from when not any more. Where the wait was changed meanwhile the longer one counts. */
export function confirmable(
  { askedAt, waitHours }: LimitRequest,
  terms: LimitTerms,
): { from: Date; until: Date } {
  const from = hoursAfter(askedAt, Math.max(waitHours, terms.waitHours));
  return { from, until: hoursAfter(from, terms.confirmHours) };
}

export type RequestStage = 'waiting' | 'confirmable' | 'lapsed';

export function stageOf(request: LimitRequest, terms: LimitTerms, now: Date): RequestStage {
  const { from, until } = confirmable(request, terms);
  if (now < from) return 'waiting';
  return now < until ? 'confirmable' : 'lapsed';
}

/** What it is to want this amount (null: no limit) of a limit that stands so; null: nothing that is not so already. */
export function eventOf({ state, amount, request }: Limit, wanted: bigint | null): LimitEvent | null {
  if (amount === null) return wanted === null ? null : 'set';
  if (wanted === null) return state === 'removing' ? null : 'ask_none';
  if (wanted > amount) return request?.amount === wanted ? null : 'ask_more';
  return wanted === amount && request === null ? null : 'set';
}

/** What becomes of a limit, or null when that may not happen to it. */
export function applyTo(
  limit: Limit,
  event: LimitEvent,
  asked: { wanted: bigint | null; now: Date; waitHours: number },
): Limit | null {
  const state = limitMachine.next(limit.state, event);
  if (state === null) return null;
  const { wanted, now: askedAt, waitHours } = asked;
  switch (event) {
    case 'set':
      return { state, amount: wanted, request: null };
    case 'ask_more':
    case 'ask_none':
      return { state, amount: limit.amount, request: { amount: wanted, askedAt, waitHours } };
    case 'confirm':
      return { state, amount: limit.request?.amount ?? null, request: null };
    default:
      return { state, amount: limit.amount, request: null };
  }
}

function hoursAfter(at: Date, hours: number): Date {
  return new Date(at.getTime() + hours * 3_600_000);
}
