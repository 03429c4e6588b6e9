import { complianceErrors } from '../compliance/compliance.errors.js';
import { defineErrors, type ErrorFactory } from '../../platform/http/domain-error.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { sportsErrors } from '../sports/sports.errors.js';

export const betsErrors = defineErrors({
  NOT_IN_POOL: { status: 422, message: 'You are in no pool this week. A pass lets you into the next draw.' },
  WEEK_NOT_PLAYING: { status: 409, message: 'The week is not being played now.' },
  GAME_NOT_IN_WEEK: { status: 422, message: 'The game starts outside this week.' },
  MARKET_NOT_OPEN: { status: 409, message: 'The market takes no bets now.' },
  GAME_STARTED: { status: 409, message: 'The game has started.' },
  OUTCOME_UNKNOWN: { status: 422, message: 'The market has no such outcome, or no price for it now.' },
  STAKE_TOO_SMALL: { status: 422, message: 'The stake is below the minimum.' },
  STAKE_TOO_LARGE: { status: 422, message: 'The stake is above the maximum.' },
  ABOVE_MARKET_MAX: {
    status: 422,
    message: 'The stake is above what you may still stake on this market. `maximum` is possible.',
  },
  PAYOUT_TOO_LARGE: {
    status: 422,
    message: 'The bet would pay more than a bet may. A stake of `maximum` is possible.',
  },
  PARLAY_SAME_GAME: { status: 422, message: 'Two legs of the parlay are of the same game.' },
  INSUFFICIENT_CREDITS: { status: 422, message: 'You do not have that many credits.' },
  ODDS_UNKNOWN: { status: 422, message: 'oddsId names no price of this outcome. Read the market again.' },
  ODDS_CHANGED: {
    status: 409,
    message: 'The price has changed. Send the current oddsId, or accept more with acceptOdds.',
  },
  BET_NOT_CANCELLABLE: {
    status: 409,
    message:
      'The bet cannot be taken back. `reason` is GRADED, GAME_STARTED, WINDOW_OVER, MARKET_MOVED (another price, or no bets taken now), TOO_MANY this week, or POOL_RULES where its pool never allows it.',
  },
  SHARE_NOT_FOUND: { status: 404, message: 'There is no shared bet of that code.' },
  BET_NOT_FOUND: { status: 404, message: 'There is no such bet, or it is not yours.' },
});

/**
 * Everything that placing may refuse with, in the order in which it looks. Of a parlay's legs the first that meets the earliest of
 * these is told.
 */
export const placementErrors: Readonly<Record<string, ErrorFactory>> = {
  NOT_IN_POOL: betsErrors.NOT_IN_POOL,
  WEEK_NOT_PLAYING: betsErrors.WEEK_NOT_PLAYING,
  MARKET_NOT_FOUND: sportsErrors.MARKET_NOT_FOUND,
  GAME_NOT_IN_WEEK: betsErrors.GAME_NOT_IN_WEEK,
  MARKET_NOT_OPEN: betsErrors.MARKET_NOT_OPEN,
  GAME_STARTED: betsErrors.GAME_STARTED,
  OUTCOME_UNKNOWN: betsErrors.OUTCOME_UNKNOWN,
  PARLAY_SAME_GAME: betsErrors.PARLAY_SAME_GAME,
  STAKE_TOO_SMALL: betsErrors.STAKE_TOO_SMALL,
  STAKE_TOO_LARGE: betsErrors.STAKE_TOO_LARGE,
  ABOVE_MARKET_MAX: betsErrors.ABOVE_MARKET_MAX,
  PAYOUT_TOO_LARGE: betsErrors.PAYOUT_TOO_LARGE,
  INSUFFICIENT_CREDITS: betsErrors.INSUFFICIENT_CREDITS,
  ...complianceErrors,
  ODDS_UNKNOWN: betsErrors.ODDS_UNKNOWN,
  ODDS_CHANGED: betsErrors.ODDS_CHANGED,
  IDEMPOTENCY_KEY_REUSED: httpErrors.IDEMPOTENCY_KEY_REUSED,
};
