import { defineMachine } from '../../../platform/state-machine.js';

/** How a bet can end. A half result is a quarter line's. */
export const BET_RESULTS = ['won', 'lost', 'push', 'void', 'half_won', 'half_lost'] as const;

export type BetResult = (typeof BET_RESULTS)[number];
export type BetState = 'placed' | 'cancelled' | BetResult;

/**
 * `grade_…` is the first decision, `regrade_…` one that replaces another and must reverse its payout. `revive` brings a parlay that was
 * lost by a leg back to where its other legs decide. `cancel` is its user's own, in time.
 */
export type BetEvent = `grade_${BetResult}` | `regrade_${BetResult}` | 'revive' | 'cancel';

/** No result is for good: a corrected game regrades its bets, in any direction (rules, "Markets and grading"). What was taken back is. */
export const betMachine = defineMachine<BetState, BetEvent>('bet', {
  initial: 'placed',
  transitions: {
    placed: {
      grade_won: 'won',
      grade_lost: 'lost',
      grade_push: 'push',
      grade_void: 'void',
      grade_half_won: 'half_won',
      grade_half_lost: 'half_lost',
      cancel: 'cancelled',
    },
    won: regradesFrom('won'),
    lost: regradesFrom('lost'),
    push: regradesFrom('push'),
    void: regradesFrom('void'),
    half_won: regradesFrom('half_won'),
    half_lost: regradesFrom('half_lost'),
    cancelled: {},
  },
});

function regradesFrom(from: BetResult): Partial<Record<BetEvent, BetState>> {
  const regrades: Partial<Record<BetEvent, BetState>> = { revive: 'placed' };
  for (const to of BET_RESULTS) if (to !== from) regrades[`regrade_${to}`] = to;
  return regrades;
}
