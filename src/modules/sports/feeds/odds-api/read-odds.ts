import type { OddsApiRules, OddsApiSport } from '../../../../platform/config/odds-api-rules.js';
import type { ScoreKind } from '../../domain/markets.js';
import type { FeedProblem, FeedProblemReason } from '../feed-problem.js';
import type { FeedGame, FeedMarket, FeedOdds } from '../sports-feed.js';
import { judgeOverround, pickQuote, type PickRules, type Quote } from './domain/pick-price.js';
import { type DroppedQuote, readQuotes } from './read-quotes.js';
import type { WireEvent } from './wire.js';

export interface PricedEvent {
  readonly odds: FeedOdds;
  readonly problems: readonly FeedProblem[];
  /** All that was not looked at any further, also where another bookmaker's price is offered. */
  readonly dropped: readonly DroppedQuote[];
  readonly excluded: number;
}

/**
 * One price for each market of an event (`pickQuote`). A market that bookmakers have, and none of them properly, is a problem, told
 * by what is wrong with most of them. `currentLine` is in quarters, of the market that is offered. An event that has begun has no markets: what is quoted then is for bets in play.
 */
export function priceEvent(
  event: WireEvent,
  sport: OddsApiSport,
  rules: Pick<OddsApiRules, 'bookmakers' | 'excluded' | 'priceMaxAgeSeconds'> & PickRules,
  now: Date,
  currentLine: (kind: ScoreKind) => number | null = () => null,
): PricedEvent {
  if (event.startsAt <= now)
    return { odds: { externalId: event.id, markets: [] }, problems: [], dropped: [], excluded: 0 };
  const read = readQuotes(event, sport, rules, now);
  const dropped = [...read.dropped];
  const markets: FeedMarket[] = [];
  for (const [kind, quotes] of read.quotes) {
    const picked = pickQuote(quotes, rules, currentLine(kind));
    if (picked) markets.push(marketOf(kind, picked));
    for (const quote of quotes) {
      const overround = judgeOverround(quote, rules);
      if (overround === 'inside') continue;
      const reason = overround === 'low' ? 'OVERROUND_LOW' : 'OVERROUND_HIGH';
      dropped.push({ kind, bookmaker: quote.bookmaker, reason });
    }
  }
  const priced = new Set(markets.map(({ kind }) => kind));
  const lost = Map.groupBy(dropped, ({ kind }) => kind);
  const problems = [...lost].flatMap(([kind, all]) =>
    priced.has(kind) ? [] : [problemOf(event, kind, all)],
  );
  return { odds: { externalId: event.id, markets }, problems, dropped, excluded: read.excluded };
}

export function gameOf(event: WireEvent, { sport, league, season }: OddsApiSport): FeedGame {
  return {
    externalId: event.id,
    sport,
    league,
    season: seasonOf(event.startsAt, season),
    homeTeam: event.homeTeam,
    awayTeam: event.awayTeam,
    startsAt: event.startsAt,
    neutral: false,
  };
}

/** `2023`, or `2022-23` where seasons are named by two years. Months are those of UTC: seasons do not begin on the first of one. */
function seasonOf(startsAt: Date, { firstMonth, years }: OddsApiSport['season']): string {
  const year = startsAt.getUTCFullYear() - (startsAt.getUTCMonth() + 1 < firstMonth ? 1 : 0);
  return years === 1 ? String(year) : `${year}-${String((year + 1) % 100).padStart(2, '0')}`;
}

function marketOf(kind: ScoreKind, { quarters, prices }: Quote): FeedMarket {
  // Quarters of a point print exactly, as they are binary fractions, and a line of 0 without a sign.
  return { kind, line: quarters === null ? null : String(quarters / 4), prices };
}

function problemOf(event: WireEvent, kind: ScoreKind, dropped: readonly DroppedQuote[]): FeedProblem {
  const counts = new Map<FeedProblemReason, number>();
  for (const { reason } of dropped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const [most] = [...counts].toSorted(([, one], [, other]) => other - one);
  const reason = most?.[0] ?? 'UNREADABLE';
  const example = dropped.find((quote) => quote.reason === reason);
  return {
    kind: 'market',
    externalId: event.id,
    subject: kind,
    reason,
    details: { bookmakers: dropped.length, example: example?.bookmaker ?? '' },
  };
}
