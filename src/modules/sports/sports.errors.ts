import { defineErrors } from '../../platform/http/domain-error.js';

export const sportsErrors = defineErrors({
  GAME_NOT_FOUND: { status: 404, message: 'There is no such game.' },
  MARKET_NOT_FOUND: { status: 404, message: 'There is no such market.' },
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
});
