import { splitMoney } from '../../../platform/money/money.js';
import { rankMembers, type Rankable } from './ranking.js';

export interface PrizeMember extends Rankable {
  /** Credits staked in the week. */
  readonly staked: number | bigint;
  /** The member's place in the draw; the lowest takes the unit that does not divide. */
  readonly drawPosition: number;
}

export interface PrizeInput {
  /** Minor units, all of one currency. */
  readonly pot: bigint;
  /** Positive integer weights (percent, say) of places 1, 2, 3, …. */
  readonly split: readonly number[];
  readonly members: readonly PrizeMember[];
  /** Credits that must have been staked to be given a prize. */
  readonly minStaked: number | bigint;
}

export interface Award {
  readonly userId: string;
  /** The rank among those who may win, from 1; shared by the tied. */
  readonly rankFrom: number;
  /** The prize places whose sum the tied share; one place when nobody is tied. */
  readonly places: readonly number[];
  /** Minor units, always positive. */
  readonly amount: bigint;
}

export interface Prizes {
  /** In the order of the table, then of the draw. */
  readonly awards: readonly Award[];
  /** What nobody could be given, for the next week's pot. */
  readonly carryOver: bigint;
}

/**
 * Shares a pool's pot (rules, "The week"; the awards and what is carried over sum to the pot, to the last unit):
 *
 * - Who staked less than `minStaked` is left out, and the places below move up.
 * - Fewer winners than places: what the unfilled places would have had goes to the filled ones in proportion to their
 *   weights, so one winner takes all. Nobody: the pot is carried over.
 * - The pot is split among the filled places by largest remainder, the better place first (`splitMoney`).
 * - Tied players share the sum of the places they fill, those past the last prize place counting nothing; the units
 *   that do not divide go one each to the lowest draw positions among them. A share of zero is no award.
 *
 * So nobody ever gets less than somebody ranked below, where the split itself does not fall upwards. Throws RangeError
 * when the pot is negative, or the split is empty or holds anything but positive integers.
 */
export function computePrizes({ pot, split, members, minStaked }: PrizeInput): Prizes {
  if (pot < 0n) throw new RangeError(`a pot must not be negative, got ${pot}`);
  if (split.length === 0 || !split.every((weight) => Number.isSafeInteger(weight) && weight > 0)) {
    throw new RangeError(`the places' weights must be positive integers, got [${split.join(', ')}]`);
  }

  const ranked = rankMembers(members.filter(({ staked }) => staked >= minStaked));
  if (ranked.length === 0) return { awards: [], carryOver: pot };
  const placeAmounts = splitMoney(pot, split.slice(0, ranked.length).map(BigInt));

  const awards: Award[] = [];
  for (const tied of Map.groupBy(ranked, ({ rank }) => rank).values()) {
    awards.push(...shareOfTied(tied, placeAmounts));
  }
  return { awards, carryOver: 0n };
}

function shareOfTied(
  tied: readonly (PrizeMember & { rank: number })[],
  placeAmounts: readonly bigint[],
): Award[] {
  const rankFrom = tied[0]?.rank ?? 1;
  const shared = placeAmounts.slice(rankFrom - 1, rankFrom - 1 + tied.length);
  if (shared.length === 0) return [];

  const places = shared.map((_, i) => rankFrom + i);
  const sum = shared.reduce((total, amount) => total + amount, 0n);
  const inDrawOrder = tied.toSorted((a, b) => a.drawPosition - b.drawPosition);
  // Equal weights leave equal remainders, which splitMoney gives to the earlier position: here, the earlier draw.
  const amounts = splitMoney(
    sum,
    inDrawOrder.map(() => 1n),
  );
  return inDrawOrder
    .map(({ userId }, i) => ({ userId, rankFrom, places, amount: amounts[i] ?? 0n }))
    .filter(({ amount }) => amount > 0n);
}
