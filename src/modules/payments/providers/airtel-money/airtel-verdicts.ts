import { failed, type Verdict } from '../mobile-money/failure-codes.js';
import { isObject } from '../mobile-money/json-api.js';
import { readCode } from '../mobile-money/plain-text.js';

const SUCCEEDED: Verdict = { is: 'succeeded' };
const PENDING: Verdict = { is: 'pending' };
const DUPLICATE: Verdict = { is: 'duplicate' };
const MISSING: Verdict = { is: 'missing' };
const UNKNOWN: Verdict = { is: 'unknown' };

/**
 * Airtel's codes: of the product (`response_code`, DP…), of the gateway before it (ROUTER…), and of the layer between, which is
 * old and says less (`result_code`, ESB…). ESB000010 only says that the request was understood. "Ambiguous" and "timed out" are
 * pending: the money may have moved, and Airtel says to ask.
 */
const CODES: ReadonlyMap<string, Verdict> = new Map(
  Object.entries({
    // Collections
    DP00800001000: PENDING,
    DP00800001001: SUCCEEDED,
    DP00800001002: failed('wrong_pin'),
    DP00800001003: failed('limit_reached'),
    DP00800001004: failed('amount_out_of_range'),
    DP00800001005: failed('timed_out'), // no PIN was entered
    DP00800001006: PENDING,
    DP00800001007: failed('insufficient_funds'),
    DP00800001008: failed('declined'),
    DP00800001009: failed('declined'),
    DP00800001010: failed('account_not_allowed'),
    DP00800001024: PENDING,
    DP00800001025: MISSING,
    DP00800001026: failed('provider_refused'),
    DP00800001029: failed('timed_out', 'expired'),
    // Disbursements
    DP00900001000: PENDING,
    DP00900001001: SUCCEEDED,
    DP00900001003: failed('limit_reached'),
    DP00900001004: failed('amount_out_of_range'),
    DP00900001005: failed('provider_error'),
    DP00900001006: PENDING,
    DP00900001007: failed('provider_balance_too_low'),
    DP00900001009: failed('provider_refused'),
    DP00900001010: failed('provider_refused'),
    DP00900001011: DUPLICATE,
    DP00900001012: failed('account_not_found'),
    DP00900001013: failed('declined'),
    DP00900001014: PENDING,
    DP00900001015: MISSING,
    DP00900001016: failed('provider_refused'),
    DP00900001017: DUPLICATE,
    DP00900001018: failed('provider_refused'),
    // The gateway
    ROUTER001: failed('provider_refused'),
    ROUTER003: failed('provider_refused'),
    ROUTER005: failed('provider_refused'),
    ROUTER006: failed('provider_refused'),
    ROUTER007: failed('provider_refused'),
    ROUTER112: failed('provider_refused'),
    ROUTER114: failed('provider_refused'),
    ROUTER115: failed('provider_refused'),
    ROUTER116: failed('provider_refused'),
    ROUTER117: UNKNOWN,
    ROUTER119: failed('provider_refused'),
    // The layer between
    ESB000001: UNKNOWN,
    ESB000004: UNKNOWN,
    ESB000008: UNKNOWN,
    ESB000010: PENDING,
    ESB000011: failed('provider_error'),
    ESB000014: UNKNOWN,
    ESB000033: failed('account_not_found'),
    ESB000034: failed('provider_refused'),
    ESB000035: failed('provider_refused'),
    ESB000036: failed('account_not_found'),
    ESB000039: failed('provider_refused'),
    ESB000041: DUPLICATE,
    ESB000045: MISSING,
  }),
);

/** Pending while Airtel does not call the transaction failed. */
const TIMED_OUT = new Set(['DP00800001024', 'DP00900001014']);

/** What an answer of Airtel's has, wherever it has it. */
export interface AirtelAnswer {
  /** Of the answer. */
  readonly verdict: Verdict;
  readonly code: string | null;
  /** For the log. */
  readonly said: string;
  /** Of the transaction: TS, TF, TA, TIP, TE; at other times a word. */
  readonly status: string | null;
  readonly airtelMoneyId: string | null;
  /** Ours, of the transaction, where the answer tells it. */
  readonly id: string | null;
}

export function readAnswer(http: number, body: Readonly<Record<string, unknown>>): AirtelAnswer {
  const status = isObject(body['status']) ? body['status'] : {};
  const data = isObject(body['data']) ? body['data'] : {};
  const transaction = isObject(data['transaction']) ? data['transaction'] : {};
  const codes = [status['response_code'], status['result_code'], status['code']].map(readCode);
  const code = codes.find((each) => each !== null && CODES.has(each)) ?? null;
  const money = transaction['airtel_money_id'];
  return {
    verdict: CODES.get(code ?? '') ?? verdictOfHttp(http),
    code,
    said: `${http} ${code ?? codes.find((each) => each !== null) ?? 'without a code'}`,
    status: readCode(transaction['status']),
    airtelMoneyId: typeof money === 'string' || typeof money === 'number' ? String(money) : null,
    id: typeof transaction['id'] === 'string' ? transaction['id'] : null,
  };
}

/** Without a code that is known only a request that never came to a transaction is settled. */
function verdictOfHttp(http: number): Verdict {
  return [400, 403, 404, 405, 415, 422].includes(http) ? failed('provider_refused') : UNKNOWN;
}

/** Of the transaction that an enquiry answered: its status decides, the code says why. */
export function verdictOfTransaction({ status, verdict, code }: AirtelAnswer): Verdict {
  switch (status) {
    case 'TS':
      return SUCCEEDED;
    case 'TF':
      if (verdict.is === 'failed') return verdict;
      return failed(TIMED_OUT.has(code ?? '') ? 'timed_out' : 'provider_error');
    case 'TE':
      return failed('timed_out', 'expired');
    case 'TA':
    case 'TIP':
      return PENDING;
    default:
      return UNKNOWN;
  }
}

/** A refund that was refused before it came to the payment, or that our own wallet cannot cover: nothing was refunded. */
export function isRefusedOutright({ verdict, code }: AirtelAnswer): boolean {
  return verdict.is === 'failed' && (code === 'DP00800001007' || (code?.startsWith('ROUTER') ?? false));
}
