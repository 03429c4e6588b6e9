import { newId } from '../../platform/database/ids.js';
import { type Price, priceFromAmerican, priceFromDecimal } from './domain/odds.js';
import type { FeedGame, FeedMarket, FeedPrice } from './feeds/sports-feed.js';
import type { GameToImport, PriceToImport } from './import.repository.js';

/** A game as a file or a feed offers it, with the markets that come with it. */
export interface OfferedGame extends FeedGame {
  /** `games.source`. */
  readonly source: string;
  readonly markets: readonly FeedMarket[];
}

/** Markets of a game that is known already. */
export type OfferedMarkets = Pick<OfferedGame, 'source' | 'externalId' | 'markets'>;

export function toGameRow(game: OfferedGame): GameToImport {
  return {
    id: newId(),
    source: game.source,
    external_id: game.externalId,
    sport: game.sport,
    league: game.league,
    season: game.season,
    home_team: game.homeTeam,
    away_team: game.awayTeam,
    neutral: game.neutral,
    starts_at: game.startsAt.toISOString(),
  };
}

/** A row a price, with an id for its market should that be new. Throws RangeError where one is no price. */
export function toPriceRows({ source, externalId, markets }: OfferedMarkets): PriceToImport[] {
  return markets.flatMap((market) => {
    const marketId = newId();
    return market.prices.map((price) => {
      const exact = exactPrice(price);
      return {
        market_id: marketId,
        odds_id: newId(),
        source,
        external_id: externalId,
        kind: market.kind,
        line: market.line,
        prop: market.prop?.key ?? null,
        title: market.prop?.title ?? null,
        outcomes: market.prop?.outcomes ?? null,
        places: market.prop?.places ?? 1,
        outcome: price.outcome,
        american: price.american ?? null,
        decimal: price.decimal ?? null,
        price_num: String(exact.num),
        price_den: String(exact.den),
      };
    });
  });
}

/** Throws RangeError where it is none. */
export function exactPrice(price: FeedPrice): Price {
  if (price.american !== undefined) return priceFromAmerican(price.american);
  return priceFromDecimal(price.decimal ?? '');
}
