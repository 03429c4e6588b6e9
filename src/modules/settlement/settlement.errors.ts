import { defineErrors } from '../../platform/http/domain-error.js';

export const settlementErrors = defineErrors({
  SETTLEMENT_NOT_FOUND: { status: 404, message: 'There is no such settlement.' },
  WEEK_NOT_OVER: { status: 409, message: 'The week is not closed yet.' },
  WEEK_HAS_OPEN_GAMES: { status: 409, message: 'Games of the week have no result yet.' },
  WEEK_HAS_OPEN_BETS: { status: 409, message: 'Bets of the week are not graded yet.' },
});
