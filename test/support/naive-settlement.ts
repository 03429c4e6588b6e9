/**
 * Settlement as somebody with paper and pencil does it: one bet at a time, in fractions of whole numbers, from the rules' text
 * alone. Nothing of the product is imported, so that the product can be held against it.
 */

/** A fraction; `den` is positive. */
export interface Ratio {
  readonly num: bigint;
  readonly den: bigint;
}

/** A price as a file writes it: American odds, or a decimal. */
export type WrittenPrice = { readonly american: string } | { readonly decimal: string };

export interface NaiveBet {
  readonly kind: string;
  /** The home side's, or the total; as text. */
  readonly line: string | null;
  readonly outcome: string;
  readonly price: WrittenPrice;
}

/** Null: the game was not played. */
export type Score = { readonly home: number; readonly away: number } | null;

export interface NaiveResult {
  readonly status: string;
  /** What one unit on it returns. */
  readonly factor: Ratio;
}

type Part = 'won' | 'lost' | 'back';

const ONE: Ratio = { num: 1n, den: 1n };
const NOTHING: Ratio = { num: 0n, den: 1n };

export function ratioOf(text: string): Ratio {
  const [, sign, whole, places = ''] = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text) ?? fail(text);
  const size = BigInt(`${whole}${places}`);
  return { num: sign === '-' ? -size : size, den: 10n ** BigInt(places.length) };
}

function fail(text: string): never {
  throw new Error(`not a number: ${JSON.stringify(text)}`);
}

function plus(a: Ratio, b: Ratio): Ratio {
  return { num: a.num * b.den + b.num * a.den, den: a.den * b.den };
}

function times(a: Ratio, b: Ratio): Ratio {
  return { num: a.num * b.num, den: a.den * b.den };
}

/** What one unit at this price returns when it wins, itself included. */
export function returnOf(price: WrittenPrice): Ratio {
  if ('decimal' in price) return ratioOf(price.decimal);
  const { num } = ratioOf(price.american);
  return num > 0n ? plus(ONE, { num, den: 100n }) : plus(ONE, { num: 100n, den: -num });
}

/** `difference` is what the picked side is ahead by. */
function byDifference({ num }: Ratio): Part {
  if (num === 0n) return 'back';
  return num > 0n ? 'won' : 'lost';
}

/** One stake, or the two halves of one on a quarter line: on the half lines on either side of it. */
function partsOf({ kind, line, outcome }: NaiveBet, home: bigint, away: bigint): Part[] {
  if (kind === 'three_way') {
    const right = home === away ? 'draw' : home > away ? 'home' : 'away';
    return [outcome === right ? 'won' : 'lost'];
  }
  const given = line === null ? NOTHING : ratioOf(line);
  const quarters = (given.num * 4n) / given.den;
  if (quarters * given.den !== given.num * 4n) throw new Error(`not in quarters: ${line}`);
  const halves = quarters % 2n === 0n ? [quarters] : [quarters - 1n, quarters + 1n];
  return halves.map((four) => {
    const ahead = kind === 'total' ? (home + away) * 4n - four : (home - away) * 4n + four;
    return byDifference({ num: outcome === 'home' || outcome === 'over' ? ahead : -ahead, den: 4n });
  });
}

const STATUS: Record<string, string> = {
  won: 'won',
  lost: 'lost',
  back: 'push',
  'won won': 'won',
  'lost lost': 'lost',
  'back won': 'half_won',
  'back lost': 'half_lost',
};

export function settleNaively(bet: NaiveBet, score: Score): NaiveResult {
  if (score === null) return { status: 'void', factor: ONE };
  const parts = partsOf(bet, BigInt(score.home), BigInt(score.away)).toSorted();
  const status = STATUS[parts.join(' ')];
  if (status === undefined) throw new Error(`no halves of one bet: ${parts.join(' ')}`);
  const returned = parts.map((part) =>
    part === 'won' ? returnOf(bet.price) : part === 'back' ? ONE : NOTHING,
  );
  const sum = returned.reduce(plus);
  return { status, factor: { num: sum.num, den: sum.den * BigInt(parts.length) } };
}

/** Whole units: what is left over a unit is not paid. */
export function paidNaively(stake: bigint, { num, den }: Ratio): bigint {
  return (stake * num) / den;
}

/** All legs are settled. */
export function settleParlayNaively(
  legs: readonly NaiveResult[],
  stake: bigint,
): { status: string; payout: bigint } {
  const payout = paidNaively(stake, legs.map(({ factor }) => factor).reduce(times));
  if (legs.some(({ status }) => status === 'lost')) return { status: 'lost', payout };
  const counted = legs.filter(({ status }) => status !== 'void' && status !== 'push');
  if (counted.length === 0)
    return { status: legs.every(({ status }) => status === 'void') ? 'void' : 'push', payout };
  if (counted.length === 1) return { status: counted[0]!.status, payout };
  return { status: payout < stake ? 'half_lost' : 'won', payout };
}
