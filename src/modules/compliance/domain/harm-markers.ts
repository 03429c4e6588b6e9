/** Those that each night tells by what was done on the days before. */
export const NIGHT_MARKERS = [
  'chasingLosses',
  'nightPlay',
  'risingStakes',
  'declinedDeposits',
  'paidInWhileWithdrawing',
  'frequentDeposits',
  'longPlay',
] as const;
export type NightMarkerName = (typeof NIGHT_MARKERS)[number];

export const MARKERS = [...NIGHT_MARKERS, 'excludedDevice'] as const;
export type MarkerName = (typeof MARKERS)[number];

/** What somebody did on one day, UTC. */
export interface DayFacts {
  /** YYYY-MM-DD */
  readonly day: string;
  readonly bets: number;
  /** Of those, placed at night where they are. */
  readonly nightBets: number;
  /** Credits. */
  readonly staked: number;
  /** Bets that are well above one that was lost shortly before. */
  readonly chasingBets: number;
  /** Payments that came, but for subscriptions, which renew by themselves. */
  readonly payments: number;
  readonly declined: number;
  /** Payments that came while money of theirs was on its way out. */
  readonly paidInWhileWithdrawing: number;
  /** Reality checks. */
  readonly checks: number;
}

interface Rule {
  readonly weight: number;
  readonly days: number;
  readonly threshold: number;
  readonly least: number;
}
export type MarkerRuleSet = Readonly<Record<NightMarkerName, Rule>>;

/** A marker that somebody shows: what was found, what it is held against, and the numbers that it comes from. */
export interface Marker<Name extends MarkerName = MarkerName> {
  readonly marker: Name;
  readonly value: number;
  readonly threshold: number;
  readonly weight: number;
  readonly days: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** Null: nothing can be said. */
type Finding = Pick<Marker, 'value' | 'figures'> | null;
type Finder = (recent: readonly DayFacts[], before: readonly DayFacts[], rule: Rule) => Finding;

const DAY_MS = 86_400_000;
/** What is usual is told by so many days before those that are looked at. */
export const USUAL_DAYS = 28;

const sum = (days: readonly DayFacts[], of: (day: DayFacts) => number) =>
  days.reduce((total, day) => total + of(day), 0);
const most = (days: readonly DayFacts[], of: (day: DayFacts) => number) =>
  days.reduce((top, day) => Math.max(top, of(day)), 0);

/** Each is explained by its own numbers. UKGC SR 3.4.3: spend, patterns of spend, time, use of payments and of one's own controls. */
const FINDERS: Readonly<Record<NightMarkerName, Finder>> = {
  chasingLosses: (recent) => {
    const [chasing, bets] = [sum(recent, (day) => day.chasingBets), sum(recent, (day) => day.bets)];
    return { value: chasing, figures: { chasing, bets } };
  },
  nightPlay: (recent, _, { least }) => {
    const [night, bets] = [sum(recent, (day) => day.nightBets), sum(recent, (day) => day.bets)];
    return bets === 0 || bets < least
      ? null
      : { value: Math.floor((night * 100) / bets), figures: { night, bets } };
  },
  /** Of somebody who has staked nothing before nobody can say what is usual. */
  risingStakes: (recent, before, { days, least }) => {
    const [staked, earlier] = [sum(recent, (day) => day.staked), sum(before, (day) => day.staked)];
    if (earlier === 0 || staked < least) return null;
    return {
      value: Math.floor((staked * 100 * USUAL_DAYS) / (earlier * days)),
      figures: { staked, usual: Math.floor((earlier * days) / USUAL_DAYS) },
    };
  },
  declinedDeposits: (recent) => {
    const declined = sum(recent, (day) => day.declined);
    return { value: declined, figures: { declined } };
  },
  paidInWhileWithdrawing: (recent) => {
    const payments = sum(recent, (day) => day.paidInWhileWithdrawing);
    return { value: payments, figures: { payments } };
  },
  frequentDeposits: (recent) => {
    const onOneDay = most(recent, (day) => day.payments);
    return { value: onOneDay, figures: { onOneDay, payments: sum(recent, (day) => day.payments) } };
  },
  longPlay: (recent) => {
    const onOneDay = most(recent, (day) => day.checks);
    return { value: onOneDay, figures: { onOneDay } };
  },
};

/** The markers that somebody shows at the end of `day`. `history`: their days, in any order; others than those looked at are left out. */
export function markersOf(
  history: readonly DayFacts[],
  day: string,
  rules: MarkerRuleSet,
): Marker<NightMarkerName>[] {
  const ago = ({ day: of }: DayFacts) => Math.round((Date.parse(day) - Date.parse(of)) / DAY_MS);
  return NIGHT_MARKERS.flatMap((marker) => {
    const rule = rules[marker];
    const { threshold, weight, days } = rule;
    const recent = history.filter((one) => ago(one) >= 0 && ago(one) < days);
    const before = history.filter((one) => ago(one) >= days && ago(one) < days + USUAL_DAYS);
    const found = FINDERS[marker](recent, before, rule);
    return found !== null && found.value >= threshold ? [{ marker, ...found, threshold, weight, days }] : [];
  });
}

/**
 * What an account shows from its opening on that was opened where others had excluded themselves: how many are excluded, and for how
 * many days the first of them has been. No word of who they are. UKGC SR 3.5.3.
 */
export function excludedDevice(
  { accounts, since }: { readonly accounts: number; readonly since: Date },
  now: Date,
  weight: number,
): Marker {
  const sinceDays = Math.max(0, Math.floor((now.getTime() - since.getTime()) / DAY_MS));
  return {
    marker: 'excludedDevice',
    value: accounts,
    threshold: 1,
    weight,
    days: 1,
    figures: { accounts, sinceDays },
  };
}

/** The day of UTC, YYYY-MM-DD. `at`: milliseconds. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

export function scoreOf(markers: readonly Marker[]): number {
  return markers.reduce((total, { weight }) => total + weight, 0);
}

/** Whether somebody is to be shown to people: not again so soon after these have decided, unless it has become worse. */
export function isToBeShown(
  score: number,
  { score: least, quietDays }: { readonly score: number; readonly quietDays: number },
  last: { readonly score: number; readonly decidedAt: Date } | null,
  now: Date,
): boolean {
  if (score < least) return false;
  if (last === null || score > last.score) return true;
  return now.getTime() >= last.decidedAt.getTime() + quietDays * DAY_MS;
}

/**
 * The days whose night is due at `now`, the first one first: all that have ended since `last`, but no more than `atMost` of them. Nothing
 * was ever done: only the one that has just ended.
 */
export function nightsDue(last: string | null, now: Date, atMost: number): string[] {
  const today = Math.floor(now.getTime() / DAY_MS);
  const next = last === null ? today - 1 : Math.round(Date.parse(last) / DAY_MS) + 1;
  const first = Math.max(next, today - atMost);
  return Array.from({ length: Math.max(0, today - first) }, (_, index) => dayOf((first + index) * DAY_MS));
}
