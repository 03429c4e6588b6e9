import type { MarketState, SuspendedBy } from '../domain/markets.js';
import type { PriceTaken } from '../odds/odds-intake.service.js';
import { type DroppedOutcome, type KnownMarket, type KnownMarkets, priceKey } from './domain/known-prices.js';
import type { KnownGameRow } from './feeds.repository.js';
import type { FeedOdds } from './sports-feed.js';

type HeldMarket = KnownMarket & { status: MarketState; suspendedBy: SuspendedBy | null };

/** A game that takes prices, as it was read and has been priced since. */
export class KnownGame implements KnownMarkets {
  readonly gameId: string;
  readonly externalId: string;
  readonly sport: string;
  readonly startsAt: Date;
  /** Whether something was said by which it has begun before its start. */
  readonly doubted: boolean;
  readonly markets: readonly HeldMarket[];

  constructor(row: KnownGameRow) {
    this.gameId = row.id;
    this.externalId = row.external_id;
    this.sport = row.sport;
    this.startsAt = row.starts_at;
    this.doubted = row.doubted;
    this.markets = row.markets.map(
      ({ id, kind, prop, line, status, suspendedBy, ofFeed, outcomes, prices }) => ({
        id,
        name: prop === null ? kind : `prop:${prop}`,
        line,
        status,
        suspendedBy,
        ofFeed,
        outcomes,
        prices: new Map((prices ?? []).map((price) => [price.outcome, priceKey(price)])),
      }),
    );
  }

  suspended(marketIds: readonly string[], by: SuspendedBy): void {
    for (const market of this.markets)
      if (marketIds.includes(market.id)) Object.assign(market, { status: 'suspended', suspendedBy: by });
  }

  dropped(outcomes: readonly DroppedOutcome[]): void {
    for (const { marketId, outcome } of outcomes)
      this.markets.find(({ id }) => id === marketId)?.prices.delete(outcome);
  }
}

/** What one process holds of a feed's games, so that a price that has not changed costs nothing. */
export class FeedBook {
  /** When each game was told to be fresh last, by the Clock. */
  readonly freshAt = new Map<string, number>();
  private games = new Map<string, KnownGame>();
  private byGame = new Map<string, KnownGame>();
  private readAt: number | null = null;
  private last: readonly FeedOdds[] = [];

  constructor(readonly source: string) {}

  /** The answer to go by: one that brings nothing new is the last one again. */
  answer(told: readonly FeedOdds[] | null): readonly FeedOdds[] {
    if (told !== null) this.last = told;
    return this.last;
  }

  outdate(): void {
    this.readAt = null;
  }

  /** As if nothing had been answered yet: what somebody else has stored since may be newer. */
  forget(): void {
    this.last = [];
    this.outdate();
  }

  isOlderThan(now: number, ms: number): boolean {
    return this.readAt === null || Math.abs(now - this.readAt) >= ms;
  }

  readAll(rows: readonly KnownGameRow[], now: number): void {
    this.games = new Map();
    this.byGame = new Map();
    this.read(rows);
    this.readAt = now;
    for (const gameId of this.freshAt.keys()) if (!this.byGame.has(gameId)) this.freshAt.delete(gameId);
  }

  read(rows: readonly KnownGameRow[]): void {
    for (const row of rows) {
      const game = new KnownGame(row);
      this.games.set(game.externalId, game);
      this.byGame.set(game.gameId, game);
    }
  }

  doubted(): KnownGame[] {
    return [...this.games.values()].filter(({ doubted }) => doubted);
  }

  /** Games to come of which a market is held to wait for a fresh price. */
  waiting(now: Date): string[] {
    return [...this.games.values()]
      .filter(
        ({ startsAt, markets }) =>
          startsAt > now && markets.some(({ suspendedBy }) => suspendedBy === 'feed_stale'),
      )
      .map(({ externalId }) => externalId);
  }

  game(externalId: string): KnownGame | undefined {
    return this.games.get(externalId);
  }

  priced(price: PriceTaken): void {
    const market = this.byGame.get(price.gameId)?.markets.find(({ id }) => id === price.marketId);
    market?.prices.set(price.outcome, priceKey(price));
  }
}
