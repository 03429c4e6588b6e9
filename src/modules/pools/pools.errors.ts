import { defineErrors } from '../../platform/http/domain-error.js';

export const poolsErrors = defineErrors({
  WEEK_ID_INVALID: { status: 400, message: 'A week is written 2025-W14 or 202514.' },
  WEEK_NOT_FOUND: { status: 404, message: 'There is no such week.' },
  POOL_NOT_FOUND: { status: 404, message: 'There is no such pool in this week.' },
  WEEK_STATE_CONFLICT: { status: 409, message: 'The week is not in a state in which this can be done.' },
  WEEK_NOT_OPEN_YET: { status: 409, message: 'This week cannot be joined yet.' },
  TERMS_NOT_ACCEPTED: {
    status: 422,
    message: 'The user must accept the terms in their current version first.',
  },
  PASS_ALREADY_HELD: { status: 409, message: 'The user holds a pass for this week already.' },
  PRIZE_SPENT: {
    status: 409,
    message: 'A prize that would be taken back has been spent, or was carried into another week.',
  },
  NOT_A_MEMBER: { status: 422, message: 'The user is in no pool this week.' },
  BUY_BACK_CLOSED: { status: 422, message: 'Buying back is over for this week.' },
  BUY_BACK_ALREADY_USED: { status: 422, message: 'The user has bought back this week already.' },
  BUY_BACK_BALANCE_NOT_ZERO: { status: 422, message: 'Buying back is for those who have no credits left.' },
  BUY_BACK_BETS_OPEN: { status: 422, message: 'Buying back is for those who have no bet open.' },
});

/** What the purchases of this module may be refused with: at their checkout, which is payments' operation, and when an admin grants them. */
export const purchaseErrors = [
  poolsErrors.WEEK_STATE_CONFLICT,
  poolsErrors.WEEK_NOT_OPEN_YET,
  poolsErrors.TERMS_NOT_ACCEPTED,
  poolsErrors.PASS_ALREADY_HELD,
  poolsErrors.NOT_A_MEMBER,
  poolsErrors.BUY_BACK_CLOSED,
  poolsErrors.BUY_BACK_ALREADY_USED,
  poolsErrors.BUY_BACK_BALANCE_NOT_ZERO,
  poolsErrors.BUY_BACK_BETS_OPEN,
];
