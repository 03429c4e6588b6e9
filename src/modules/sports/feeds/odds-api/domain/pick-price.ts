import { compare, fraction, multiply, type Fraction } from '../../../../../platform/money/fraction.js';
import { priceFromDecimal } from '../../../domain/odds.js';

/** One bookmaker's complete market: a price for each outcome, in the order of `OUTCOMES`, all on one line. */
export interface Quote {
  readonly bookmaker: string;
  /** In quarters of a point; null of a market without a line. */
  readonly quarters: number | null;
  readonly prices: readonly { readonly outcome: string; readonly decimal: string }[];
}

export interface PickRules {
  /** Keys of bookmakers, the one that is wanted most first. */
  readonly bookmakers: readonly string[];
  /** What the implied probabilities may come to, less 1. */
  readonly overroundMin: number;
  readonly overroundMax: number;
}

export type Overround = 'low' | 'high' | 'inside';

/** Where a quote's overround lies; a bound itself is inside. Exact. */
export function judgeOverround(quote: Quote, rules: PickRules): Overround {
  const sum = impliedSum(quote);
  if (compare(sum, bound(rules.overroundMin)) < 0) return 'low';
  return compare(sum, bound(rules.overroundMax)) > 0 ? 'high' : 'inside';
}

/**
 * The quote whose prices are offered, whole: prices of two bookmakers are never mixed within a market. Of the quotes whose overround
 * is inside the bounds:
 *
 * 1. The main line is the one that most bookmakers have. Of several: the one that is offered already, so that it does not move to and
 *    fro; then the one whose median quote is closest to even; then the one closest to 0, then the lower.
 * 2. On it, the first of the preferred bookmakers.
 * 3. Without one of those, the median quote: in the order of the first outcome's probability (the implied ones scaled to 1 in all;
 *    where equal, by overround, then by the bookmaker's key) the one in the middle, the lower of two.
 *
 * Null when there is none. The order of `quotes` makes no difference. `current` is the line that is offered, in quarters.
 */
export function pickQuote(
  quotes: readonly Quote[],
  rules: PickRules,
  current: number | null = null,
): Quote | null {
  const inside = quotes.filter((quote) => judgeOverround(quote, rules) === 'inside');
  const lines = Map.groupBy(inside, ({ quarters }) => quarters);
  const [main] = [...lines]
    .map(([quarters, offered]) => lineOf(quarters ?? 0, offered))
    .toSorted(mainFirst(current));
  if (!main) return null;
  for (const wanted of rules.bookmakers) {
    const found = main.quotes.find(({ bookmaker }) => bookmaker === wanted);
    if (found) return found;
  }
  return main.median;
}

interface Line {
  readonly quarters: number;
  readonly quotes: readonly Quote[];
  readonly median: Quote;
  /** How far the median's first outcome is from a probability of one half. */
  readonly fromEven: Fraction;
}

function lineOf(quarters: number, offered: readonly Quote[]): Line {
  const sorted = offered
    .map((quote) => ({ quote, first: firstProbability(quote), sum: impliedSum(quote) }))
    .toSorted(
      (one, other) =>
        compare(one.first, other.first) ||
        compare(one.sum, other.sum) ||
        (one.quote.bookmaker < other.quote.bookmaker ? -1 : 1),
    );
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (!middle) throw new RangeError('a line that nobody has');
  return { quarters, quotes: offered, median: middle.quote, fromEven: distanceFromHalf(middle.first) };
}

const mainFirst =
  (current: number | null) =>
  (one: Line, other: Line): number =>
    other.quotes.length - one.quotes.length ||
    Number(other.quarters === current) - Number(one.quarters === current) ||
    compare(one.fromEven, other.fromEven) ||
    Math.abs(one.quarters) - Math.abs(other.quarters) ||
    one.quarters - other.quarters;

function bound(overround: number): Fraction {
  return fraction(BigInt(Math.round((1 + overround) * 1_000_000)), 1_000_000n);
}

function impliedSum({ prices }: Quote): Fraction {
  return prices.map(implied).reduce((sum, each) => {
    return fraction(sum.num * each.den + each.num * sum.den, sum.den * each.den);
  }, fraction(0n));
}

function implied({ decimal }: { decimal: string }): Fraction {
  const { num, den } = priceFromDecimal(decimal);
  return fraction(den, num);
}

function firstProbability(quote: Quote): Fraction {
  const [first] = quote.prices;
  if (!first) throw new RangeError('a quote without prices');
  const { num, den } = impliedSum(quote);
  return multiply(implied(first), fraction(den, num));
}

function distanceFromHalf({ num, den }: Fraction): Fraction {
  const twice = 2n * num - den;
  return fraction(twice < 0n ? -twice : twice, 2n * den);
}
