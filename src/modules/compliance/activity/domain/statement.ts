import { DateTime } from 'luxon';

const PURCHASES = ['week_pass', 'subscription', 'buy_back'] as const;
const MOVES = [
  'deposit',
  ...PURCHASES,
  'refunded_deposit',
  'refunded_purchase',
  'prize',
  'withdrawal',
] as const;
type Move = (typeof MOVES)[number];
export type Purchased = (typeof PURCHASES)[number];

/** A sum of the ledger: what moved so in a month (its first day) and currency. */
export interface Moved {
  readonly month: string;
  readonly currency: string;
  readonly what: Move;
  readonly amount: bigint;
}

/** What a span of time came to in one currency, in minor units. */
export interface Activity {
  readonly currency: string;
  /** Into the wallet. */
  readonly deposits: bigint;
  readonly purchases: Readonly<Record<Purchased, bigint>>;
  readonly prizes: bigint;
  /** Of what was paid in or bought. */
  readonly refunds: bigint;
  readonly withdrawals: bigint;
  /** Won, less what was spent to play. */
  readonly result: bigint;
  /** What came in, from a card for a purchase too, less what went back and out. */
  readonly netDeposits: bigint;
}

export interface Statement {
  readonly months: readonly { readonly month: string; readonly currencies: readonly Activity[] }[];
  readonly total: readonly Activity[];
  readonly lifetime: readonly { readonly currency: string; readonly netDeposits: bigint }[];
}

/** The first days of this month and of so many before it, the newest first: whole months, and what there is of this one. */
export function monthsOf(now: Date, before: number): string[] {
  const month = DateTime.fromJSDate(now, { zone: 'utc' }).startOf('month');
  return Array.from({ length: before + 1 }, (_, back) => month.minus({ months: back }).toISODate() ?? '');
}

/** Every month is told, one of which nothing moved as well. */
export function statementOf(moved: readonly Moved[], now: Date, before: number): Statement {
  const months = monthsOf(now, before);
  const within = moved.filter(({ month }) => months.includes(month));
  return {
    months: months.map((month) => ({
      month,
      currencies: activitiesOf(within.filter((each) => each.month === month)),
    })),
    total: activitiesOf(within),
    lifetime: activitiesOf(moved).map(({ currency, netDeposits }) => ({ currency, netDeposits })),
  };
}

function activitiesOf(moved: readonly Moved[]): Activity[] {
  const byCurrency = Map.groupBy(moved, ({ currency }) => currency);
  return [...byCurrency.keys()]
    .toSorted()
    .map((currency) => activityOf(currency, byCurrency.get(currency) ?? []));
}

function activityOf(currency: string, moved: readonly Moved[]): Activity {
  const sum = (...what: Move[]) =>
    moved.filter((each) => what.includes(each.what)).reduce((total, { amount }) => total + amount, 0n);
  const purchases = {
    week_pass: sum('week_pass'),
    subscription: sum('subscription'),
    buy_back: sum('buy_back'),
  };
  const spent = sum(...PURCHASES);
  return {
    currency,
    deposits: sum('deposit'),
    purchases,
    prizes: sum('prize'),
    refunds: sum('refunded_deposit', 'refunded_purchase'),
    withdrawals: sum('withdrawal'),
    result: sum('prize') - (spent - sum('refunded_purchase')),
    netDeposits: sum('deposit') + spent - sum('refunded_deposit', 'refunded_purchase') - sum('withdrawal'),
  };
}
