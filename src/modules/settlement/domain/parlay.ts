import type { BetResult } from '../../bets/domain/bet-machine.js';
import type { Price } from '../../sports/domain/odds.js';
import type { Factors } from './grading.js';
import type { Reason } from './verdicts.js';

/** An exact fraction in lowest terms. */
export interface Fraction {
  readonly num: bigint;
  readonly den: bigint;
}

/** A leg as it stands: its status, and what it makes of one unit that comes to it; null while it is open. */
export interface ParlayLeg {
  readonly status: 'placed' | BetResult;
  readonly factor: Fraction | null;
}

export interface ParlayVerdict {
  readonly status: 'placed' | BetResult;
  /** In the stake's own whole units; null while it is open. */
  readonly payout: bigint | null;
}

/** What a graded leg makes of one unit: `v + (1 − v)·w·h·d`. */
export function legFactor({ num, den }: Price, { v, w, h }: Factors): Fraction {
  const [vNum, vDen, hNum, hDen] = [BigInt(v.num), BigInt(v.den), BigInt(h.num), BigInt(h.den)];
  return reduced(vNum * hDen * den + (vDen - vNum) * BigInt(w) * hNum * num, vDen * hDen * den);
}

/**
 * What becomes of a parlay. One lost leg loses it, whatever the others are; else it is open while a leg is; else it pays the
 * stake by the product of the factors, floored once at the end. All legs void is void, all returned a push, one that
 * alone was played gives it its status; of several, what pays less than the stake is half lost and the rest won. Throws RangeError when the
 * stake is not positive or there is no leg.
 */
export function parlayVerdict(stake: bigint, legs: readonly ParlayLeg[]): ParlayVerdict {
  if (stake <= 0n) throw new RangeError(`a stake must be positive, got ${stake}`);
  if (legs.length === 0) throw new RangeError('a parlay has legs');
  if (legs.some(({ factor }) => factor?.num === 0n)) return { status: 'lost', payout: 0n };
  const factors = legs.flatMap(({ factor }) => factor ?? []);
  if (factors.length < legs.length) return { status: 'placed', payout: null };
  const num = factors.reduce((product, factor) => product * factor.num, 1n);
  const den = factors.reduce((product, factor) => product * factor.den, 1n);
  const payout = (stake * num) / den;
  return { status: statusOf(legs, payout < stake), payout };
}

/**
 * Why a parlay is graded as it is: that of its legs where all are void, `LEGS_VOID` for several, and that of the one that alone was
 * played. An open or a lost one has none, nor has one of which several were played.
 */
export function parlayReason(
  legs: readonly (ParlayLeg & { readonly reason: Reason | null })[],
): Reason | null {
  if (legs.some(({ factor }) => factor === null || factor.num === 0n)) return null;
  const played = legs.filter(({ status }) => status !== 'void' && status !== 'push');
  if (played.length > 0) return played.length === 1 ? (played[0]?.reason ?? null) : null;
  if (legs.some(({ status }) => status === 'push')) return null;
  return new Set(legs.map(({ reason }) => reason)).size === 1 ? (legs[0]?.reason ?? null) : 'LEGS_VOID';
}

function statusOf(legs: readonly ParlayLeg[], paysLess: boolean): ParlayVerdict['status'] {
  const [first, ...more] = legs.filter(({ status }) => status !== 'void' && status !== 'push');
  if (first === undefined) return legs.every(({ status }) => status === 'void') ? 'void' : 'push';
  if (more.length === 0) return first.status;
  return paysLess ? 'half_lost' : 'won';
}

function reduced(num: bigint, den: bigint): Fraction {
  let [a, b] = [num, den];
  while (b !== 0n) [a, b] = [b, a % b];
  return { num: num / a, den: den / a };
}
