import { isLongOfAge, ofAgeAt } from './age.js';
import { minutesBetweenChecks, realityCheckDueAt } from './reality-check.js';

/** What bars somebody, of which the caller knows that it does now. */
export interface Bar {
  readonly kind: 'ban' | 'self_exclusion' | 'time_out';
  /** Null: for ever, or until somebody does something. */
  readonly until: Date | null;
}

/** What is known of who asks. */
export interface PolicySubject {
  readonly bars: readonly Bar[];
  /** Calendar day, YYYY-MM-DD, as declared. */
  readonly birthDate: string;
  /** Somebody other than they has shown the date to be true. */
  readonly ageVerified: boolean;
  /** When the last reality check was acknowledged, or their session began. Null: nobody asks by a session. */
  readonly checkedAt: Date | null;
  /** Minutes between reality checks that they asked for themselves. */
  readonly checkMinutes: number | null;
}

/** What is asked for: see `Operates`. */
export interface PolicyOperation {
  readonly operation: 'stake' | 'deposit' | 'withdraw' | 'social' | 'read' | 'account' | 'staff' | 'machine';
  readonly product: string | null;
}

/** Where and when. */
export interface PolicyContext {
  /** Of the place they are in; null: nobody can tell, and what nobody can tell is refused. */
  readonly jurisdiction: {
    readonly products: readonly string[];
    readonly minimumAge: number;
    readonly zone: string;
    readonly ageVerification: 'none' | 'before_deposit' | 'before_stake';
    readonly realityCheckMinutes: number;
  } | null;
  /** Years, below which nobody plays anywhere. */
  readonly minimumAge: number;
  readonly now: Date;
}

export type RefusalCode =
  | 'ACCOUNT_BANNED'
  | 'SELF_EXCLUDED'
  | 'TIMED_OUT'
  | 'GEO_BLOCKED'
  | 'UNDER_AGE'
  | 'AGE_NOT_VERIFIED'
  | 'REALITY_CHECK_DUE';

export interface Refusal {
  readonly code: RefusalCode;
  /** When it ends by itself; null when it does not, or nobody knows. */
  readonly until: Date | null;
  readonly reason: string;
}

type Verdict = Refusal | null;
type Rule = (subject: PolicySubject | null, asked: PolicyOperation, context: PolicyContext) => Verdict;

/** Where a day begins last. */
const LAST_ZONE = 'Etc/GMT+12';
/** What money can be won or lost with. */
const FOR_MONEY: readonly string[] = ['pools', 'matches', 'codes'];

/**
 * Whether somebody may do something, and if not why and until when: null is yes. The first rule that refuses decides. What guards,
 * services and sockets ask; the statement that books asks `compliance_refusal`, which says the same of bars and age (a
 * property holds the two together).
 */
export function decide(
  subject: PolicySubject | null,
  asked: PolicyOperation,
  context: PolicyContext,
): Verdict {
  for (const rule of RULES[asked.operation]) {
    const refusal = rule(subject, asked, context);
    if (refusal !== null) return refusal;
  }
  return null;
}

function bar(kind: Bar['kind'], code: RefusalCode, reason: string): Rule {
  return (subject) => {
    const bars = (subject?.bars ?? []).filter((one) => one.kind === kind);
    if (bars.length === 0) return null;
    const ends = bars.map(({ until }) => until);
    const until = ends.includes(null) ? null : new Date(Math.max(...ends.map((end) => Number(end))));
    return { code, until, reason };
  };
}

const banned = bar('ban', 'ACCOUNT_BANNED', 'The account has been closed by the operator.');

/** UKGC SR 3.5, AGCO 2.14, NJ 13:69O-1.9: from the moment it is asked for. It does not end by itself, so nothing is told of an end. */
const selfExcluded: Rule = (...facts) => {
  const refusal = bar('self_exclusion', 'SELF_EXCLUDED', 'The user has excluded themselves.')(...facts);
  return refusal && { ...refusal, until: null };
};

/** UKGC SR 3.3.1, AGCO 2.24: a break of the user's own choosing. */
const timedOut = bar('time_out', 'TIMED_OUT', 'The user is taking a time-out.');

const blocked = (reason: string): Refusal => ({ code: 'GEO_BLOCKED', until: null, reason });

/** The place is open, and allows the product where one is named. */
const inPlace: Rule = (_, { product }, { jurisdiction }) => {
  if (jurisdiction === null) return blocked('Nobody can tell where the caller is.');
  if (jurisdiction.products.length === 0) return blocked('The place is closed.');
  if (product !== null && !jurisdiction.products.includes(product))
    return blocked(`The place does not allow ${product}.`);
  return null;
};

/** The place allows something that costs money. */
const wherePlayIs: Rule = (_, { product }, { jurisdiction }) =>
  product === null && jurisdiction?.products.some((one) => FOR_MONEY.includes(one)) !== true
    ? blocked('The place allows no play for money.')
    : null;

/** What a product decides alone: an operation about oneself that belongs to none is open everywhere. */
const whereItsProductIs: Rule = (subject, asked, context) =>
  asked.product === null ? null : inPlace(subject, asked, context);

/** UKGC LCCP 3.2, AGCO 3.01: of age where they are, from the midnight with which the birthday begins there. */
const ofAge: Rule = (subject, _, { jurisdiction, minimumAge, now }) => {
  if (subject === null) return null;
  const years = Math.max(minimumAge, jurisdiction?.minimumAge ?? minimumAge);
  if (isLongOfAge(subject.birthDate, years, now)) return null;
  const until = ofAgeAt(subject.birthDate, years, jurisdiction?.zone ?? LAST_ZONE);
  // A date that is none never comes.
  if (until <= now) return null;
  return { code: 'UNDER_AGE', until, reason: `Nobody plays here before the age of ${years}.` };
};

/** UKGC LCCP 17.1.1: verified before anything is paid in, or before anything is staked. */
function ageVerified(...stages: readonly string[]): Rule {
  return (subject, _, { jurisdiction }) =>
    subject === null || subject.ageVerified || !stages.includes(jurisdiction?.ageVerification ?? 'none')
      ? null
      : { code: 'AGE_NOT_VERIFIED', until: null, reason: 'The age has to be verified here.' };
}

/** UKGC RTS 13B: what has been told has to be acknowledged before the play goes on. */
const realityChecked: Rule = (subject, _, { jurisdiction, now }) => {
  if (subject?.checkedAt == null || jurisdiction === null) return null;
  const minutes = minutesBetweenChecks(jurisdiction.realityCheckMinutes, subject.checkMinutes);
  return now < realityCheckDueAt(subject.checkedAt, minutes)
    ? null
    : { code: 'REALITY_CHECK_DUE', until: null, reason: 'A reality check waits to be acknowledged.' };
};

/** In the order in which they are asked. */
const RULES: Readonly<Record<PolicyOperation['operation'], readonly Rule[]>> = {
  stake: [
    banned,
    selfExcluded,
    timedOut,
    inPlace,
    wherePlayIs,
    ofAge,
    ageVerified('before_stake', 'before_deposit'),
    realityChecked,
  ],
  deposit: [
    banned,
    selfExcluded,
    timedOut,
    inPlace,
    wherePlayIs,
    ofAge,
    ageVerified('before_deposit'),
    realityChecked,
  ],
  withdraw: [banned],
  social: [banned, selfExcluded, inPlace],
  read: [inPlace],
  account: [whereItsProductIs],
  staff: [],
  machine: [],
};
