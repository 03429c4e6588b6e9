import { priceOf } from '../domain/feed-checks.js';
import type { ImportedMarket, ImportedPrice } from '../../importers/imported-game.js';
import type { FeedMarket } from '../sports-feed.js';
import type { ReplayGame } from './replay-season.js';
import { walk } from './seeded.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** What drives a game's prices; each has a walk of its own. */
const STRENGTH = 1;
const POINTS = 2;
const JITTER = 3;

/** Points by which lines wander from where they close, at the horizon. */
const WANDER = {
  american_football: { spread: 3, total: 4 },
  soccer: { spread: 0.5, total: 0.5 },
  other: { spread: 2, total: 4 },
} as const;
/** The same of the moneyline, as the natural logarithm of its odds; and what prices flutter by. */
const WANDER_CHANCE = 0.6;
const FLUTTER = 0.12;
const LEAST_CHANCE = 0.02;

/**
 * The markets of a game so long before its start. They close as they really closed; where they open and how they come from there is
 * made up, by a seeded walk. Home is stronger in the moneyline whenever it is in the spread.
 */
export function marketsBefore(
  game: ReplayGame,
  slot: number,
  beforeStartMs: number,
  horizonMs: number,
): FeedMarket[] {
  const at = tickOf(beforeStartMs, slot);
  const far = Math.sqrt(Math.min(1, at / horizonMs));
  const drift = (driver: number) =>
    far *
    (0.65 * walk(at / (6 * HOUR_MS), slot, driver, 0) + 0.35 * walk(at / (1.5 * HOUR_MS), slot, driver, 1));
  const flutter = (market: number) =>
    Math.min(1, 0.3 + far) *
    FLUTTER *
    (0.6 * walk(at / (12 * MINUTE_MS), slot, JITTER, market) +
      0.4 * walk(at / (90 * SECOND_MS), slot, JITTER, market, 1));
  const wander = WANDER[game.sport as keyof typeof WANDER] ?? WANDER.other;
  return game.markets.map((market, index) => {
    if (at === 0) return market;
    switch (market.kind) {
      case 'spread':
        return moved(market, -halves(drift(STRENGTH) * wander.spread), flutter(index));
      case 'total':
        return moved(market, halves(drift(POINTS) * wander.total), flutter(index));
      default:
        return moved(market, 0, drift(STRENGTH) * WANDER_CHANCE + flutter(index));
    }
  });
}

/** Prices move now and then at first, and every half minute in the last hours; not all games at the same moment. */
function tickOf(beforeStartMs: number, slot: number): number {
  if (beforeStartMs <= MINUTE_MS) return 0;
  const step =
    beforeStartMs > 12 * HOUR_MS
      ? 10 * MINUTE_MS
      : beforeStartMs > 3 * HOUR_MS
        ? 2 * MINUTE_MS
        : 20 * SECOND_MS + (slot % 7) * 3 * SECOND_MS;
  const phase = (slot * 7919 * SECOND_MS) % step;
  return Math.max(MINUTE_MS, Math.floor((beforeStartMs + phase) / step) * step);
}

function halves(points: number): number {
  return Math.round(points * 2) / 2;
}

/** The market with its line so much further, and its first side so much likelier. */
function moved(market: ImportedMarket, points: number, likelier: number): FeedMarket {
  const line = market.line === null ? null : textOf(Number(market.line) + points);
  const implied = market.prices.map((price) => impliedBy(price));
  const sum = implied.reduce((all, one) => all + one, 0);
  const weights = implied.map(
    (one, index) => one * Math.exp(likelier * (0.5 - index / (implied.length - 1))),
  );
  const weight = weights.reduce((all, one) => all + one, 0);
  return {
    kind: market.kind,
    line: market.kind === 'total' && Number(line) <= 0 ? market.line : line,
    prices: market.prices.map((price, index) => {
      const fair = Math.min(1 - LEAST_CHANCE, Math.max(LEAST_CHANCE, (weights[index] ?? 0) / weight));
      return priced(price, Math.min(0.985, fair * sum));
    }),
  };
}

function impliedBy(price: ImportedPrice): number {
  const exact = priceOf(price);
  if (exact === null) throw new Error('a season file was read with an impossible price');
  return Number(exact.den) / Number(exact.num);
}

/** The price of a chance, in the way in which the file writes prices; rounded to the house's side. */
function priced({ outcome, american }: ImportedPrice, implied: number): ImportedPrice {
  if (american === undefined)
    return { outcome, decimal: Math.max(1.01, Math.floor(100 / implied) / 100).toFixed(2) };
  if (implied >= 0.5)
    return { outcome, american: -Math.max(100, Math.ceil((100 * implied) / (1 - implied))) };
  return { outcome, american: Math.max(100, Math.floor((100 * (1 - implied)) / implied)) };
}

/** The shortest exact decimal; never `-0`. */
function textOf(line: number): string {
  return line === 0 ? '0' : String(line);
}
