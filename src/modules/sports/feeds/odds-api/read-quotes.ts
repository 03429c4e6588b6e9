import type { OddsApiRules, OddsApiSport } from '../../../../platform/config/odds-api-rules.js';
import { OUTCOMES, type ScoreKind } from '../../domain/markets.js';
import { priceFromDecimal } from '../../domain/odds.js';
import type { FeedProblemReason } from '../feed-problem.js';
import type { Quote } from './domain/pick-price.js';
import { isObject, listOf, readInstant, type WireEvent } from './wire.js';

/** A bookmaker's market that is not looked at any further. */
export interface DroppedQuote {
  readonly kind: ScoreKind;
  readonly bookmaker: string;
  readonly reason: FeedProblemReason;
}

export interface EventQuotes {
  readonly quotes: ReadonlyMap<ScoreKind, readonly Quote[]>;
  readonly dropped: readonly DroppedQuote[];
  /** Markets of bookmakers that are not wanted, and of kinds that are not. */
  readonly excluded: number;
}

interface Selection {
  readonly name: string;
  readonly price: string;
  readonly point: string | null;
}

const DRAW = 'Draw';

/** Every complete market of every bookmaker of an event, by our kinds, and why the others are none. */
export function readQuotes(
  event: WireEvent,
  sport: OddsApiSport,
  rules: Pick<OddsApiRules, 'excluded' | 'priceMaxAgeSeconds'>,
  now: Date,
): EventQuotes {
  const unwanted = rules.excluded.map(patternOf);
  const isUnwanted = (key: string): boolean => unwanted.some((pattern) => pattern.test(key));
  const quotes = new Map<ScoreKind, Quote[]>();
  const dropped: DroppedQuote[] = [];
  let excluded = 0;
  for (const bookmaker of listOf(event.rest['bookmakers'])) {
    if (!isObject(bookmaker) || typeof bookmaker['key'] !== 'string') continue;
    const key = bookmaker['key'];
    for (const market of listOf(bookmaker['markets'])) {
      if (!isObject(market) || typeof market['key'] !== 'string') continue;
      const kind = kindOf(market['key'], sport);
      if (kind === null || isUnwanted(key) || isUnwanted(market['key'])) {
        excluded += 1;
        continue;
      }
      const updated = readInstant(market['last_update']) ?? readInstant(bookmaker['last_update']);
      const isOld = updated !== null && now.getTime() - updated.getTime() > rules.priceMaxAgeSeconds * 1000;
      const known = quotes.get(kind) ?? [];
      quotes.set(kind, known);
      const quote = isOld ? 'PRICE_OLD' : readQuote(kind, key, market['outcomes'], event);
      if (typeof quote === 'string') dropped.push({ kind, bookmaker: key, reason: quote });
      else if (known.some((other) => other.bookmaker === key))
        dropped.push({ kind, bookmaker: key, reason: 'UNREADABLE' });
      else known.push(quote);
    }
  }
  return { quotes, dropped, excluded };
}

/** `*` stands for anything; the rest are letters, digits and underscores. */
function patternOf(glob: string): RegExp {
  return new RegExp(`^${glob.replaceAll('*', '.*')}$`);
}

function kindOf(key: string, sport: OddsApiSport): ScoreKind | null {
  if (key === 'h2h') return sport.h2h;
  if (key === 'spreads') return 'spread';
  return key === 'totals' ? 'total' : null;
}

function readQuote(
  kind: ScoreKind,
  bookmaker: string,
  outcomes: unknown,
  event: WireEvent,
): Quote | FeedProblemReason {
  const selections = listOf(outcomes).map(readSelection);
  if (selections.length === 0) return 'MARKET_INCOMPLETE';
  const byOutcome = new Map<string, Selection>();
  for (const selection of selections) {
    if (selection === null) return 'UNREADABLE';
    const outcome = outcomeOf(kind, selection.name, event);
    if (outcome === null) return 'TEAM_UNKNOWN';
    if (byOutcome.has(outcome)) return 'UNREADABLE';
    byOutcome.set(outcome, selection);
  }
  const wanted: readonly string[] = OUTCOMES[kind];
  if ([...byOutcome.keys()].some((outcome) => !wanted.includes(outcome))) return 'OUTCOMES_OTHER';
  // Two sides and no draw are a market of their own: it gives the stake back on a draw.
  if (kind === 'three_way' && byOutcome.size === 2 && !byOutcome.has('draw')) return 'OUTCOMES_OTHER';
  const priced = wanted.flatMap((outcome) => {
    const selection = byOutcome.get(outcome);
    return selection ? [{ ...selection, outcome }] : [];
  });
  if (priced.length < wanted.length) return 'MARKET_INCOMPLETE';
  if (!priced.every(({ price }) => isPrice(price))) return 'PRICE_IMPOSSIBLE';
  const quarters = quartersOf(kind, priced);
  if (typeof quarters === 'string') return quarters;
  return { bookmaker, quarters, prices: priced.map(({ outcome, price }) => ({ outcome, decimal: price })) };
}

function readSelection(value: unknown): Selection | null {
  if (!isObject(value)) return null;
  const { name, price, point } = value;
  if (typeof name !== 'string' || typeof price !== 'string') return null;
  if (point !== undefined && point !== null && typeof point !== 'string') return null;
  return { name, price, point: point ?? null };
}

/** Teams are named exactly as in the event; whatever else stands there is nobody we know. */
function outcomeOf(kind: ScoreKind, name: string, event: WireEvent): string | null {
  if (kind === 'total') return name === 'Over' ? 'over' : name === 'Under' ? 'under' : null;
  if (name === event.homeTeam) return 'home';
  if (name === event.awayTeam) return 'away';
  return name === DRAW ? 'draw' : null;
}

function isPrice(text: string): boolean {
  try {
    return priceFromDecimal(text).num > 0n;
  } catch {
    return false;
  }
}

/** The line in quarters of a point: a total's, or the handicap given to the home side. */
function quartersOf(
  kind: ScoreKind,
  [first, second]: readonly Selection[],
): number | null | FeedProblemReason {
  if (kind !== 'spread' && kind !== 'total') return null;
  if (!first?.point || !second?.point) return 'MARKET_INCOMPLETE';
  const [one, other] = [Number(first.point) * 4, Number(second.point) * 4];
  if (!Number.isSafeInteger(one) || !Number.isSafeInteger(other)) return 'LINE_IMPOSSIBLE';
  if (kind === 'total' && one <= 0) return 'LINE_IMPOSSIBLE';
  if (kind === 'spread' ? one !== -other : one !== other) return 'LINES_CONTRADICT';
  return one;
}
