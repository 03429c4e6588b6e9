import { splitMoney } from '../../../platform/money/money.js';
import { countWeeks, nextWeekId, weekIdAt } from './calendar.js';

/** Weeks that one payment is for, both included. */
export interface WeekSpan {
  readonly first: number;
  readonly last: number;
}

export interface FeesSplit {
  /** In the order of the weights. */
  readonly pots: readonly bigint[];
  readonly house: bigint;
}

/**
 * What of the fees goes into the pots, `share` percent rounded down, divided by their weights to the last unit, and what is
 * the house's. Without a weight there is no pot to share.
 */
export function splitFees(fees: bigint, share: number, weights: readonly bigint[]): FeesSplit {
  const forPots = weights.some((weight) => weight > 0n) ? (fees * BigInt(share)) / 100n : 0n;
  const pots = forPots > 0n ? splitMoney(forPots, weights) : weights.map(() => 0n);
  return { pots, house: fees - forPots };
}

/**
 * The weeks of a subscription's period: from the next that can be joined, after those that were paid for before and not before the
 * period begins (one whose payment is told late has those), to the last that begins before the period ends. A week for which the user holds a pass already is left out where another remains. Null when
 * there is none.
 */
export function subscribedWeeks(given: {
  nextToJoin: number;
  paidUntil: number | null;
  holdsNext: boolean;
  periodStart: Date | null;
  periodEnd: Date;
  zone: string;
}): WeekSpan | null {
  const { nextToJoin, paidUntil, holdsNext, periodStart, periodEnd, zone } = given;
  const last = lastWeekOf(periodEnd, zone);
  const unpaid = Math.max(
    nextToJoin,
    paidUntil === null ? nextToJoin : nextWeekId(paidUntil),
    periodStart === null ? nextToJoin : nextWeekId(lastWeekOf(periodStart, zone)),
  );
  const first = holdsNext && unpaid === nextToJoin && unpaid < last ? nextWeekId(unpaid) : unpaid;
  return first <= last ? { first, last } : null;
}

/** The last week that begins before a period ends: of an end that is a week's beginning, the week before. */
export function lastWeekOf(periodEnd: Date, zone: string): number {
  return weekIdAt(new Date(periodEnd.getTime() - 1), zone);
}

/** A week's part of what is there for it and the rest of the span: equal parts, what does not divide to the earlier weeks. */
export function partOfWeek(left: bigint, weekId: number, { last }: WeekSpan): bigint {
  const weeks = Math.max(1, countWeeks(weekId, last));
  return splitMoney(left, Array<bigint>(weeks).fill(1n))[0] ?? 0n;
}

/** Of a payment for a span of weeks: what those that are over have used. */
export function usedOf(amount: bigint, span: WeekSpan, weeksUsed: number): bigint {
  const parts = splitMoney(amount, Array<bigint>(countWeeks(span.first, span.last)).fill(1n));
  return parts.slice(0, weeksUsed).reduce((sum, part) => sum + part, 0n);
}
