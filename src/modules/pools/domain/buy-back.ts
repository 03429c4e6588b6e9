/** Why a member may not buy back, in the order in which it is looked at. */
export type BuyBackRefusal =
  'BUY_BACK_CLOSED' | 'BUY_BACK_ALREADY_USED' | 'BUY_BACK_BALANCE_NOT_ZERO' | 'BUY_BACK_BETS_OPEN';

export interface BuyBackState {
  /** Credits the member has left to stake. */
  readonly balance: number | bigint;
  /** Bets of this week that are not graded yet. */
  readonly openBets: number;
  readonly now: Date;
  /** The last instant of the week's buy-back, itself included (`buyBackUntil`). */
  readonly until: Date;
  /** Whether this week's buy-back was paid for already. */
  readonly alreadyBought: boolean;
}

/**
 * Null when the member may buy back, else why not: until Friday's end, once a week, and only with nothing left to play
 * with, on the table or off it. Asked at checkout; a payment confirmed later still credits (rules, "The week").
 */
export function canBuyBack({
  balance,
  openBets,
  now,
  until,
  alreadyBought,
}: BuyBackState): BuyBackRefusal | null {
  if (!(now.getTime() <= until.getTime())) return 'BUY_BACK_CLOSED';
  if (alreadyBought) return 'BUY_BACK_ALREADY_USED';
  if (BigInt(balance) !== 0n) return 'BUY_BACK_BALANCE_NOT_ZERO';
  if (openBets !== 0) return 'BUY_BACK_BETS_OPEN';
  return null;
}
