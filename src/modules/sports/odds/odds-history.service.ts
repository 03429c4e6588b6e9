import { Injectable } from '@nestjs/common';
import { Listed } from '../../../platform/http/answers.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../../platform/http/pagination.js';
import type {
  MarketDetailDto,
  OddsHistoryDto,
  OddsHistoryQuery,
  OutcomePriceDto,
  PastPriceDto,
} from '../dto/markets.dto.js';
import type { Market } from '../entities/market.entity.js';
import { GamesRepository } from '../games.repository.js';
import { GamesService } from '../games.service.js';
import { sportsErrors } from '../sports.errors.js';
import { OddsRepository, type OddsRow } from './odds.repository.js';

const CURSOR = [/^\d{1,17}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** One market, and how its prices came to be what they are. */
@Injectable()
export class OddsHistoryService {
  constructor(
    private readonly games: GamesService,
    private readonly markets: GamesRepository,
    private readonly odds: OddsRepository,
  ) {}

  async detail(id: string): Promise<MarketDetailDto> {
    const found = await this.find(id);
    const game = await this.games.get(found.gameId);
    const market = game.markets.find((each) => each.id === id);
    if (!market) throw sportsErrors.MARKET_NOT_FOUND({ marketId: id });
    const ends = await this.odds.ends(
      found,
      market.prices.map(({ outcome }) => outcome),
    );
    const { prices, ...rest } = market;
    return {
      ...rest,
      gameId: found.gameId,
      prices: prices.flatMap(({ outcome, oddsId, american, decimal }): OutcomePriceDto[] => {
        const end = ends.find((each) => each.outcome === outcome);
        if (!end) return [];
        const [opening, closing] = [pastOf(end.opening), end.closing && pastOf(end.closing)];
        return [{ outcome, oddsId, american, decimal, opening, closing }];
      }),
    };
  }

  /** Newest first. */
  async list(id: string, query: OddsHistoryQuery): Promise<Listed<OddsHistoryDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const key = readCursor(query.cursor, CURSOR);
    const market = await this.find(id);
    const outcomes = query.outcome === undefined ? await this.odds.outcomesOf(id) : [query.outcome];
    const rows = await this.odds.history(market, {
      outcomes,
      from: query.from === undefined ? null : new Date(query.from),
      to: query.to === undefined ? null : new Date(query.to),
      before: key && { at: key[0] ?? '', id: key[1] ?? '' },
      limit: limit + 1,
    });
    const ends = await this.odds.ends(market, [...new Set(rows.map(({ outcome }) => outcome))]);
    const openings = new Set(ends.map(({ opening }) => opening.id));
    const closings = new Set(ends.map(({ closing }) => closing?.id));
    return cursorPage(
      rows,
      limit,
      (row) => [row.at, row.id],
      (row) => ({
        ...pastOf(row),
        outcome: row.outcome,
        opening: openings.has(row.id),
        closing: closings.has(row.id),
      }),
    );
  }

  private async find(id: string): Promise<Market> {
    const market = await this.markets.findMarket(id);
    if (!market) throw sportsErrors.MARKET_NOT_FOUND({ marketId: id });
    return market;
  }
}

function pastOf({ id, american, decimal, created_at: at }: OddsRow): Pick<PastPriceDto, keyof PastPriceDto> {
  // Inside a row of Postgres a time is text.
  return { oddsId: id, american, decimal, at: new Date(at).toISOString() };
}
