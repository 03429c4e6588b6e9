import type { Money, ProviderEvent, ProviderState } from './provider.js';

/** A ProviderEvent as JSON carries it: amounts and times as text. Not the id, which is the row's key. */
export interface StoredEvent {
  readonly type: string;
  readonly about: ProviderEvent['about'];
  readonly providerReference: string | null;
  readonly ourId: string | null;
  readonly state: StoredState | null;
  readonly change: StoredChange | null;
}

interface StoredMoney {
  readonly amount: string;
  readonly currency: string;
}

type StoredState = Omit<ProviderState, 'paid' | 'periodStart' | 'periodEnd'> & {
  readonly paid: StoredMoney | null;
  readonly periodStart?: string | null;
  readonly periodEnd: string | null;
};

interface StoredChange {
  readonly kind: string;
  readonly subscriptionReference?: string;
  readonly disputeReference?: string;
  readonly paid: StoredMoney | null;
  readonly disputed: StoredMoney | null;
  readonly periodStart?: string | null;
  readonly periodEnd: string | null;
}

export function toStored({
  type,
  about,
  providerReference,
  ourId,
  state,
  change,
}: ProviderEvent): StoredEvent {
  const {
    paid = null,
    periodStart = null,
    periodEnd = null,
  } = change !== undefined && 'paid' in change ? change : {};
  const disputed = change !== undefined && 'disputed' in change ? change.disputed : null;
  return {
    type,
    about,
    providerReference,
    ourId: ourId ?? null,
    state: state && {
      ...state,
      paid: storedMoney(state.paid),
      periodStart: state.periodStart?.toISOString() ?? null,
      periodEnd: state.periodEnd?.toISOString() ?? null,
    },
    change:
      change === undefined
        ? null
        : {
            ...change,
            paid: storedMoney(paid),
            disputed: storedMoney(disputed),
            periodStart: periodStart?.toISOString() ?? null,
            periodEnd: periodEnd?.toISOString() ?? null,
          },
  };
}

export function readState(stored: StoredState): ProviderState {
  return {
    ...stored,
    paid: readMoney(stored.paid),
    periodStart: readTime(stored.periodStart ?? null),
    periodEnd: readTime(stored.periodEnd),
  };
}

/** The change of a subscription or a dispute, or null when the event carries none. */
export function readChange({ change }: StoredEvent): NonNullable<ProviderEvent['change']> | null {
  if (change === null) return null;
  const { kind, subscriptionReference, disputeReference } = change;
  const disputed = readMoney(change.disputed);
  if (disputeReference !== undefined && disputed !== null)
    return { kind, disputeReference, disputed } as NonNullable<ProviderEvent['change']>;
  return {
    kind,
    subscriptionReference,
    paid: readMoney(change.paid),
    periodStart: readTime(change.periodStart ?? null),
    periodEnd: readTime(change.periodEnd),
  } as NonNullable<ProviderEvent['change']>;
}

function storedMoney(money: Money | null): StoredMoney | null {
  return money && { amount: money.amount.toString(), currency: money.currency };
}

function readMoney(money: StoredMoney | null): Money | null {
  return money && { amount: BigInt(money.amount), currency: money.currency };
}

function readTime(time: string | null): Date | null {
  return time === null ? null : new Date(time);
}
