import type { MarketState, SuspendedBy } from '../../domain/markets.js';
import type { PriceTaken } from '../../odds/odds-intake.service.js';
import type { FeedMarket, FeedPrice } from '../sports-feed.js';
import { marketName } from './feed-checks.js';

/** A market as it is held, with the prices that it has. */
export interface KnownMarket {
  readonly id: string;
  readonly name: string;
  readonly line: string | null;
  readonly status: MarketState;
  readonly suspendedBy: SuspendedBy | null;
  /** Whether the feed offers it, or an operator does. */
  readonly ofFeed: boolean;
  /** The keys of a prop's outcomes; null of every other kind. */
  readonly outcomes: readonly string[] | null;
  /** By outcome, as `priceKey` writes them. */
  readonly prices: Map<string, string>;
}

export interface KnownMarkets {
  readonly gameId: string;
  readonly markets: readonly KnownMarket[];
}

/** An outcome that its feed had a price of and offers no longer. */
export interface DroppedOutcome {
  readonly marketId: string;
  readonly outcome: string;
}

/** What an answer of a feed makes of one game. */
export interface OddsDifference {
  /** Markets that are new, have another line or further outcomes, or are to be taken up again. */
  readonly moved: readonly FeedMarket[];
  /** Prices that changed and nothing else. */
  readonly prices: readonly PriceTaken[];
  /** Open markets that are not offered any longer. */
  readonly withdrawn: readonly string[];
  /** Of markets that are offered: outcomes that are not, any longer. A market of the score without one is not believed at all. */
  readonly dropped: readonly DroppedOutcome[];
  /** Open markets of which the feed said something that is not believed. */
  readonly doubted: readonly string[];
}

/** A price as text: the same for the same price, however a feed writes it. */
export function priceKey({
  american,
  decimal,
}: {
  american?: number | null;
  decimal?: string | null;
}): string {
  if (american !== undefined && american !== null) return String(american);
  const text = decimal ?? '';
  return text.includes('.') ? `d${text.replace(/\.?0+$/, '')}` : `d${text}`;
}

/**
 * What is new in what a feed offers of a game. `doubtful` names the markets that are not believed: they are neither priced nor
 * taken for withdrawn. What an operator has suspended is priced and stays suspended.
 */
export function differenceOf(
  known: KnownMarkets,
  offered: readonly FeedMarket[],
  doubtful: ReadonlySet<string>,
): OddsDifference {
  const good = offered.filter((market) => !doubtful.has(marketName(market)));
  const moved: FeedMarket[] = [];
  const prices: PriceTaken[] = [];
  const dropped: DroppedOutcome[] = [];
  for (const market of good) {
    const held = known.markets.find(
      (one) => one.name === marketName(market) && sameLine(one.line, market.line),
    );
    // Before it is taken up again as well: it must not open with a price that nobody offers.
    if (held !== undefined) dropped.push(...droppedOf(held, market.prices));
    if (
      held === undefined ||
      ['line_moved', 'feed_stale'].includes(held.suspendedBy ?? '') ||
      hasFurther(held, market)
    )
      moved.push(market);
    else prices.push(...changed(known.gameId, held, market.prices));
  }
  // By its line too: one that an operator has resumed is no longer offered beside the one that it has moved to. Where a market
  // moves, the move itself shuts its other lines.
  const isTold = ({ name, line }: KnownMarket) =>
    doubtful.has(name) ||
    moved.some((market) => marketName(market) === name) ||
    good.some((market) => marketName(market) === name && sameLine(market.line, line));
  const open = openOf(known);
  return {
    moved,
    prices,
    dropped,
    withdrawn: open.filter((market) => !isTold(market)).map(({ id }) => id),
    doubted: open.filter(({ name }) => doubtful.has(name)).map(({ id }) => id),
  };
}

/** Of a game that is not believed as a whole: all that the feed offers of it waits, and nothing new is taken. */
export function nothingOf(known: KnownMarkets): OddsDifference {
  return { moved: [], prices: [], withdrawn: [], dropped: [], doubted: openOf(known).map(({ id }) => id) };
}

function openOf({ markets }: KnownMarkets): KnownMarket[] {
  return markets.filter(({ status, ofFeed }) => status === 'open' && ofFeed);
}

/** Whether a feed's own prop has got an outcome that it had not: it has to be the market's before it can have a price. */
function hasFurther({ outcomes, ofFeed, status }: KnownMarket, { prop }: FeedMarket): boolean {
  if (!prop || !outcomes || !ofFeed || status === 'settled' || status === 'voided') return false;
  return prop.outcomes.some(({ key }) => !outcomes.includes(key));
}

/** What an operator offers, and prices of it, are not the feed's to take away. */
function droppedOf(
  { id, ofFeed, status, prices }: KnownMarket,
  told: readonly FeedPrice[],
): DroppedOutcome[] {
  if (!ofFeed || status === 'settled' || status === 'voided') return [];
  return [...prices.keys()]
    .filter((outcome) => !told.some((price) => price.outcome === outcome))
    .map((outcome) => ({ marketId: id, outcome }));
}

function sameLine(one: string | null, other: string | null): boolean {
  return one === null || other === null ? one === other : Number(one) === Number(other);
}

function changed(gameId: string, { id, prices }: KnownMarket, told: readonly FeedPrice[]): PriceTaken[] {
  return told
    .filter((price) => prices.get(price.outcome) !== priceKey(price))
    .map(({ outcome, american, decimal }) => ({
      gameId,
      marketId: id,
      outcome,
      american: american ?? null,
      decimal: decimal ?? null,
    }));
}
