import type { CheckRules, SportBounds } from '../../../../platform/config/sport-rules.js';
import { outcomesOf } from '../../domain/markets.js';
import { type Price, priceFromAmerican, priceFromDecimal } from '../../domain/odds.js';
import type { FeedGame, FeedMarket, FeedPrice, FeedResult, FeedScore } from '../sports-feed.js';

/** Why something that a feed said is not believed. */
export const FAULTS = [
  // of the schedule
  'SPORT_UNCONFIGURED', // a sport that config/sports.yml does not name
  'SAME_TEAMS', // a side plays itself
  'GAME_TWICE', // the same id twice in one answer, or the same teams again within hours under another id
  'TEAMS_CHANGED', // other teams than before under the same id, or home and away the other way round
  'START_AFTER_BEGUN', // a start that moves once the game has begun
  'START_IN_PAST', // a start that moves into the past
  'START_TOO_FAR',
  // of odds
  'MARKET_INCOMPLETE', // not one price for each outcome
  'MARKET_TWICE', // two of one kind
  'PRICE_IMPOSSIBLE', // American inside 100, a decimal not above 1, both or none
  'OVERROUND_LOW', // what the prices make of 1 in all
  'OVERROUND_HIGH',
  'LINE_IMPOSSIBLE', // none where there must be one, not in quarters, out of the sport's bounds
  'SPREAD_TOTAL_SWAPPED',
  'MONEYLINE_CONTRADICTS_SPREAD', // another favourite
  // of scores and results
  'SCORE_IMPOSSIBLE', // not whole points within the sport's bounds
  'SCORE_BACKWARDS', // fewer points than before
  'PERIODS_CONTRADICT', // the periods do not add up to the score
  'BEFORE_START',
  'RESULT_INCOMPLETE',
  'RESULT_CLOSED', // the week of the game is settled
  'RESULT_REFUSED', // the game cannot go there from where it is
] as const;
export type FaultReason = (typeof FAULTS)[number];

export interface Fault {
  readonly reason: FaultReason;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A market that is not believed, by its name in the game. */
export interface MarketFault extends Fault {
  readonly market: string;
}

/** What is known of a game that a feed speaks of. */
export interface KnownGame {
  readonly homeTeam: string;
  readonly awayTeam: string;
  readonly startsAt: Date;
  /** The start as the feed told it last: an operator may have moved it since. */
  readonly toldStartsAt: Date;
  readonly begun: boolean;
  /** Put off until further notice: its start has passed for nothing. */
  readonly postponed?: boolean;
}

/** What is known of a game's score. */
export interface KnownStand {
  readonly sport: string;
  readonly startsAt: Date;
  readonly home: number | null;
  readonly away: number | null;
}

const DAY_MS = 86_400_000;
/** Points by which a spread may be above the total: some books price soccer's totals at one line whatever the sides are. */
const SWAP_SLACK = 1;
const MOST_MINUTES = 1000;
const QUARTERS = /^-?\d{1,4}(?:\.(?:0|00|25|5|50|75))?$/;

export function boundsOf(sport: string, checks: CheckRules): SportBounds {
  const bounds =
    checks.bounds.find((one) => one.sport === sport) ?? checks.bounds.find((one) => one.sport === 'other');
  if (bounds === undefined) throw new Error(`sports.checks.bounds has neither ${sport} nor other`);
  return bounds;
}

/** The name of a market in its game: there is one of a kind, and of props one of a key. */
export function marketName(market: Pick<FeedMarket, 'kind' | 'prop'>): string {
  return market.prop === undefined ? market.kind : `prop:${market.prop.key}`;
}

/** What is wrong with a game on a schedule; null when nothing is. `known` is the game as it is held, if it is. */
export function gameFault(
  game: FeedGame,
  known: KnownGame | null,
  { sports, checks, now }: { sports: readonly string[]; checks: CheckRules; now: Date },
): Fault | null {
  const startsAt = game.startsAt.getTime();
  if (!sports.includes(game.sport)) return { reason: 'SPORT_UNCONFIGURED', details: { sport: game.sport } };
  if (game.homeTeam === game.awayTeam) return { reason: 'SAME_TEAMS', details: { team: game.homeTeam } };
  if (!(startsAt - now.getTime() <= checks.startWithinDays * DAY_MS))
    return { reason: 'START_TOO_FAR', details: startsOf(game, known) };
  if (known === null) return null;
  if (known.homeTeam !== game.homeTeam || known.awayTeam !== game.awayTeam)
    return {
      reason: 'TEAMS_CHANGED',
      details: { from: [known.homeTeam, known.awayTeam], to: [game.homeTeam, game.awayTeam] },
    };
  if (startsAt === known.toldStartsAt.getTime()) return null;
  if (known.begun || (known.startsAt <= now && known.postponed !== true))
    return { reason: 'START_AFTER_BEGUN', details: startsOf(game, known) };
  if (startsAt <= now.getTime()) return { reason: 'START_IN_PAST', details: startsOf(game, known) };
  return null;
}

function startsOf(game: FeedGame, known: KnownGame | null): Fault['details'] {
  const to = Number.isNaN(game.startsAt.getTime()) ? null : game.startsAt.toISOString();
  return { from: known?.startsAt.toISOString() ?? null, startsAt: to };
}

/** The markets of one game that are not believed. A market has one fault at most, the gravest; two may share one. */
export function marketFaults(
  sport: string,
  markets: readonly FeedMarket[],
  checks: CheckRules,
): MarketFault[] {
  const faults = new Map<string, MarketFault>();
  const bounds = boundsOf(sport, checks);
  const blame = (market: string, reason: FaultReason, details: Fault['details']) => {
    if (!faults.has(market)) faults.set(market, { market, reason, details });
  };
  const byName = new Map<string, FeedMarket>();
  for (const market of markets) {
    const name = marketName(market);
    if (byName.has(name)) blame(name, 'MARKET_TWICE', { lines: [byName.get(name)?.line, market.line] });
    byName.set(name, market);
  }
  const { spread, total, moneyline = byName.get('three_way') } = Object.fromEntries(byName);
  const spreadLine = lineOf(spread);
  const totalLine = lineOf(total);
  if (
    spread &&
    total &&
    spreadLine !== null &&
    totalLine !== null &&
    totalLine < Math.abs(spreadLine) - SWAP_SLACK
  )
    for (const name of ['spread', 'total'])
      blame(name, 'SPREAD_TOTAL_SWAPPED', { spread: spread.line, total: total.line });
  for (const [name, market] of byName) {
    const fault = marketFault(sport, market, checks);
    if (fault) blame(name, fault.reason, fault.details);
  }
  const sides = [spread, moneyline].every((market) => market && !faults.has(marketName(market)));
  if (spread && moneyline && sides && spreadLine !== null && Math.abs(spreadLine) >= bounds.favouriteFrom) {
    const home = chanceOf(moneyline, 'home');
    const away = chanceOf(moneyline, 'away');
    if (spreadLine < 0 ? home < away : home > away)
      for (const market of [spread, moneyline])
        blame(marketName(market), 'MONEYLINE_CONTRADICTS_SPREAD', {
          spread: spread.line,
          moneyline: moneyline.prices,
        });
  }
  return [...faults.values()];
}

/** What is wrong with a market by itself, whoever offers it. */
export function marketFault(sport: string, market: FeedMarket, checks: CheckRules): Fault | null {
  const outcomes = outcomesOf({ kind: market.kind, outcomes: market.prop?.outcomes ?? null });
  const told = market.prices.map(({ outcome }) => outcome);
  if (
    outcomes.length < (market.kind === 'prop' ? 1 : 2) ||
    told.length !== outcomes.length ||
    outcomes.some((outcome) => !told.includes(outcome)) ||
    (market.kind === 'prop') !== (market.prop !== undefined)
  )
    return { reason: 'MARKET_INCOMPLETE', details: { outcomes: told, line: market.line } };
  if (!isPossibleLine(market, boundsOf(sport, checks)))
    return { reason: 'LINE_IMPOSSIBLE', details: { line: market.line, prices: market.prices } };
  const prices = market.prices.map(priceOf);
  if (prices.some((price) => price === null))
    return { reason: 'PRICE_IMPOSSIBLE', details: { line: market.line, prices: market.prices } };
  const overround = overroundOf(prices as Price[], market.prop?.places ?? 1);
  const details = { line: market.line, prices: market.prices, overround: Number(overround.toFixed(6)) };
  if (overround < checks.overroundMin) return { reason: 'OVERROUND_LOW', details };
  if (overround > checks.overroundMax) return { reason: 'OVERROUND_HIGH', details };
  return null;
}

function isPossibleLine({ kind, line }: FeedMarket, bounds: SportBounds): boolean {
  if (kind !== 'spread' && kind !== 'total') return line === null;
  if (line === null || !QUARTERS.test(line)) return false;
  const value = Number(line);
  return kind === 'spread'
    ? Math.abs(value) <= bounds.spread
    : value >= bounds.totalMin && value <= bounds.totalMax;
}

function lineOf(market: FeedMarket | undefined): number | null {
  const line = market?.line ?? null;
  return line === null || !QUARTERS.test(line) ? null : Number(line);
}

/** The exact price; null when it is none. */
export function priceOf({ american, decimal }: FeedPrice): Price | null {
  if ((american === undefined) === (decimal === undefined)) return null;
  try {
    return american === undefined ? priceFromDecimal(decimal ?? '') : priceFromAmerican(american);
  } catch {
    return null;
  }
}

/** What the prices make of 1 in all, less 1. A judgement, not a payout: it may be computed with floating point. */
function overroundOf(prices: readonly Price[], places: number): number {
  return prices.reduce((sum, { num, den }) => sum + Number(den) / Number(num), 0) / places - 1;
}

function chanceOf(market: FeedMarket, outcome: string): number {
  const told = market.prices.find((price) => price.outcome === outcome);
  const price = told && priceOf(told);
  return price ? Number(price.den) / Number(price.num) : 0;
}

/** What is wrong with a score on the way, or with a final one; null when nothing is. */
export function scoreFault(
  told: Pick<FeedScore, 'periods' | 'minutesPlayed'> & {
    home?: number | undefined;
    away?: number | undefined;
  },
  known: KnownStand,
  { checks, now }: { checks: CheckRules; now: Date },
): Fault | null {
  const { home, away, periods } = told;
  if (now < known.startsAt)
    return { reason: 'BEFORE_START', details: { ...told, startsAt: known.startsAt.toISOString() } };
  if (home === undefined || away === undefined) return { reason: 'RESULT_INCOMPLETE', details: { ...told } };
  const { score: most } = boundsOf(known.sport, checks);
  const points = [home, away, ...(periods ?? []).flat()];
  if (points.some((value) => !isWithin(value, most)) || !isWithin(told.minutesPlayed ?? 0, MOST_MINUTES))
    return { reason: 'SCORE_IMPOSSIBLE', details: { ...told } };
  if (home < (known.home ?? 0) || away < (known.away ?? 0))
    return { reason: 'SCORE_BACKWARDS', details: { ...told, from: [known.home, known.away] } };
  if (periods && periods.length > 0) {
    const sum = (side: 0 | 1) => periods.reduce((all, period) => all + period[side], 0);
    if (sum(0) !== home || sum(1) !== away) return { reason: 'PERIODS_CONTRADICT', details: { ...told } };
  }
  return null;
}

function isWithin(value: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= most;
}

/** What is wrong with how a game is said to have ended. */
export function resultFault(
  result: FeedResult,
  known: KnownStand,
  context: { checks: CheckRules; now: Date },
): Fault | null {
  const told = { ...result, externalId: undefined }; // which stands beside it
  if (!isWithin(result.minutesPlayed ?? 0, MOST_MINUTES))
    return { reason: 'SCORE_IMPOSSIBLE', details: told };
  if (result.status === 'final') return named(scoreFault(result, known, context), told);
  if (result.status === 'abandoned' && result.home !== undefined)
    return named(scoreFault(result, known, context), told);
  if (result.status === 'abandoned' && context.now < known.startsAt)
    return { reason: 'BEFORE_START', details: told };
  return null;
}

/** The whole word is kept, since an operator may take it over. */
function named(fault: Fault | null, told: object): Fault | null {
  return fault && { reason: fault.reason, details: { ...fault.details, ...told } };
}
