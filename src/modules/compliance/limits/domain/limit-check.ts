import type { LimitKind, LimitPeriod, Maxima } from '../../../../platform/config/jurisdiction-rules.js';
import { LIMIT_KINDS, LIMIT_PERIODS } from '../../../../platform/config/jurisdiction-rules.js';

/** `deposit` is paid in, `stake` is staked from the wallet, `purchase` is both at once: paid in and staked. */
export type BookingKind = 'deposit' | 'stake' | 'purchase';

/** What each counts as. What is staked may be lost, all of it: a loss limit is held then, and not when it is too late. */
const COUNTS_AS: Readonly<Record<BookingKind, readonly LimitKind[]>> = {
  deposit: ['deposit'],
  stake: ['stake', 'loss'],
  purchase: ['deposit', 'stake', 'loss'],
};

export const countsAs = (kind: BookingKind): readonly LimitKind[] => COUNTS_AS[kind];

/** A limit that somebody has set themselves. */
export interface OwnLimit {
  readonly kind: LimitKind;
  readonly period: LimitPeriod;
  readonly amount: bigint;
}

/** The lowest of the platform's, the place's and the user's own. */
export interface EffectiveLimit {
  readonly kind: LimitKind;
  readonly period: LimitPeriod;
  readonly amount: bigint;
}

/** What holds in a currency, in the order of kinds and periods; where nobody says anything there is none. */
export function effectiveLimits(
  currency: string,
  maxima: readonly Maxima[],
  own: readonly OwnLimit[],
): EffectiveLimit[] {
  return LIMIT_KINDS.flatMap((kind) =>
    LIMIT_PERIODS.flatMap((period) => {
      const set = own.filter((limit) => limit.kind === kind && limit.period === period);
      const amounts = [
        ...maxima
          .map((maximum) => maximum[kind]?.[period]?.[currency])
          .filter((amount) => amount !== undefined),
        ...set.map(({ amount }) => amount),
      ].map(BigInt);
      if (amounts.length === 0) return [];
      return [{ kind, period, amount: amounts.reduce((low, amount) => (amount < low ? amount : low)) }];
    }),
  );
}

/** A limit, and what counts towards it: what came, and what is on its way. */
export interface UsedLimit extends EffectiveLimit {
  readonly used: bigint;
}

/** What is left of a limit; never less than nothing. */
export function availableOf({ amount, used }: UsedLimit): bigint {
  return used < amount ? amount - used : 0n;
}

/** Of the limits that an amount would go beyond, the one of which least is left; of several the one of the longest period. */
export function exceeded(limits: readonly UsedLimit[], amount: bigint): UsedLimit | null {
  const broken = limits.filter((limit) => limit.used + amount > limit.amount);
  const span = ({ period }: UsedLimit) => LIMIT_PERIODS.indexOf(period);
  return (
    broken.toSorted((a, b) => {
      const [left, right] = [availableOf(a), availableOf(b)];
      return left === right ? span(b) - span(a) : left < right ? -1 : 1;
    })[0] ?? null
  );
}

/** The first of the kinds that a place wants limited and that somebody has set no limit of; of what this booking counts as. */
export function missingLimit(
  mandatory: readonly LimitKind[],
  kinds: readonly LimitKind[],
  own: readonly OwnLimit[],
): LimitKind | null {
  return kinds.find((kind) => mandatory.includes(kind) && !own.some((limit) => limit.kind === kind)) ?? null;
}
