import { defineErrors } from '../../platform/http/domain-error.js';

export const sportsErrors = defineErrors({
  GAME_NOT_FOUND: { status: 404, message: 'There is no such game.' },
  MARKET_NOT_FOUND: { status: 404, message: 'There is no such market.' },
  MARKET_EXISTS: { status: 409, message: 'The game has a market of this key already.' },
  OFFER_INVALID: {
    status: 422,
    message:
      'A market needs different outcomes, more of them than places, and each price is either american or decimal.',
  },
  PRICES_IMPLAUSIBLE: {
    status: 422,
    message:
      'The prices of the market cannot be right. `reason` says why: an impossible price, an outcome without one, or an overround that is too low or too high.',
  },
  TOO_MANY_GAMES: {
    status: 422,
    message: 'A socket follows at most so many games. Unsubscribe from some, or name fewer.',
  },
  GAME_NOT_STARTED: { status: 422, message: 'A game has no result before its official start.' },
  RESULT_INCOMPLETE: {
    status: 422,
    message: 'A final result needs both scores, and so does a report of the minutes that were played.',
  },
  GAME_STATE_CONFLICT: { status: 409, message: 'The game cannot go from its present state to that one.' },
  MARKET_STATE_CONFLICT: { status: 409, message: 'The market cannot go from its present state to that one.' },
  CORRECTION_NEEDS_REASON: {
    status: 422,
    message: 'The game has a result already. Say why it changes, as reason.',
  },
  RESULT_CLOSED: {
    status: 409,
    message: 'The result stands: a person gave it, or its week is settled. Only an operator may change it.',
  },
  MARKET_VOID_NOT_FOUND: {
    status: 404,
    message: 'Nothing of that id waits for a second person: it was taken back, was decided or has expired.',
  },
  SECOND_PERSON_NEEDED: {
    status: 409,
    message: 'There are many bets on it: another person must ask for them to be voided too.',
  },
});
