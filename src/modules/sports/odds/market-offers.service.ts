import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { marketMachine, outcomesOf } from '../domain/markets.js';
import { type Price, priceFromAmerican, priceFromDecimal } from '../domain/odds.js';
import type { GameDto } from '../dto/games.dto.js';
import type { MarketLimitDto, NewMarketDto, NewPricesDto, OfferedPriceDto } from '../dto/markets.dto.js';
import type { Game } from '../entities/game.entity.js';
import type { Market } from '../entities/market.entity.js';
import { marketFault } from '../feeds/domain/feed-checks.js';
import type { FeedPrice } from '../feeds/sports-feed.js';
import { GamesRepository } from '../games.repository.js';
import { GamesService } from '../games.service.js';
import { SlateCache } from '../slate-cache.js';
import { sportsErrors } from '../sports.errors.js';
import { GameChanges } from './game-changes.js';
import { OddsRepository, type PriceRow } from './odds.repository.js';

type PricedMarket = Pick<Market, 'kind' | 'line' | 'prop' | 'title' | 'outcomes' | 'places'>;
type OfferedPrice = Pick<PriceRow, 'outcome' | 'american' | 'decimal'>;

/** What an operator offers: props, prices of their own, and limits of markets. */
@Injectable()
export class MarketOffersService {
  constructor(
    private readonly repository: GamesRepository,
    private readonly odds: OddsRepository,
    private readonly changes: GameChanges,
    private readonly games: GamesService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
    private readonly cache: SlateCache,
  ) {}

  /** Throws GAME_NOT_FOUND, GAME_STATE_CONFLICT, MARKET_EXISTS, OFFER_INVALID, PRICES_IMPLAUSIBLE. */
  async add(subject: Subject, gameId: string, offer: NewMarketDto): Promise<GameDto> {
    const { key, title, places = 1, outcomes } = offer;
    requireDistinct(outcomes.map((outcome) => outcome.key));
    if (places >= outcomes.length)
      throw sportsErrors.OFFER_INVALID({ field: 'places', outcomes: outcomes.length });
    const marketId = newId();
    const rows = outcomes.map((outcome) => rowOf(gameId, marketId, outcome.key, outcome));
    return await this.perform(gameId, async (manager, game) => {
      this.requireToCome(game);
      const named = outcomes.map((outcome) => ({ key: outcome.key, label: outcome.label }));
      const prop = { id: marketId, key, title, outcomes: named, places };
      const offered = { kind: 'prop', line: null, prop: key, title, outcomes: named, places } as const;
      this.requirePlausible(game, offered, rows);
      if ((await this.repository.insertProp(manager, gameId, prop)) === null)
        throw sportsErrors.MARKET_EXISTS({ field: 'key', key });
      await this.odds.takeIn(manager, rows);
      await this.record(manager, subject, 'market.offer', marketId, {
        gameId,
        key,
        places,
        prices: told(rows),
      });
    });
  }

  /**
   * An operator's prices of a market that is open or suspended; a feed's next ones replace them. With the prices that stay they have
   * to be such as a feed's would be believed. Throws MARKET_NOT_FOUND too.
   */
  async price(subject: Subject, marketId: string, { prices, reason }: NewPricesDto): Promise<GameDto> {
    const { gameId } = await this.find(marketId);
    requireDistinct(prices.map(({ outcome }) => outcome));
    const rows = prices.map((price) => rowOf(gameId, marketId, price.outcome, price));
    return await this.perform(gameId, async (manager, game) => {
      this.requireToCome(game);
      const market = await this.find(marketId);
      if (!marketMachine.from('close').includes(market.status))
        throw sportsErrors.MARKET_STATE_CONFLICT({ status: market.status, wanted: 'price' });
      const known = outcomesOf(market);
      const strange = prices.find(({ outcome }) => !known.includes(outcome));
      if (strange) throw sportsErrors.OFFER_INVALID({ field: 'outcome', outcome: strange.outcome });
      const kept = (await this.odds.lockPrices(manager, market)).filter(
        (price) => !prices.some(({ outcome }) => outcome === price.outcome),
      );
      this.requirePlausible(game, market, [...kept, ...rows]);
      const taken = await this.odds.takeIn(manager, rows);
      if (taken.length > 0) this.changes.told(manager, gameId);
      await this.record(manager, subject, 'market.price', marketId, { reason, prices: told(rows) });
    });
  }

  /** The most that one player may have staked on a market from now on. Throws MARKET_NOT_FOUND. */
  async limit(subject: Subject, marketId: string, { maxStake, reason }: MarketLimitDto): Promise<GameDto> {
    const { gameId } = await this.find(marketId);
    return await this.perform(gameId, async (manager) => {
      // Bets on their way are waited for: once this is answered none passes by the old limit.
      await this.repository.shutGate(manager, gameId);
      const market = await this.find(marketId);
      await this.repository.limitMarket(manager, market, maxStake);
      await this.record(manager, subject, 'market.limit', marketId, {
        reason,
        from: market.maxStake,
        to: maxStake,
      });
    });
  }

  private async perform(
    gameId: string,
    work: (manager: EntityManager, game: Game) => Promise<void>,
  ): Promise<GameDto> {
    await this.unitOfWork.run(async (manager) => {
      const game = await this.repository.lockGame(manager, gameId);
      if (!game) throw sportsErrors.GAME_NOT_FOUND({ gameId });
      await work(manager, game);
    });
    this.cache.clear();
    return await this.games.get(gameId);
  }

  private async find(marketId: string): Promise<Market> {
    const market = await this.repository.findMarket(marketId);
    if (!market) throw sportsErrors.MARKET_NOT_FOUND({ marketId });
    return market;
  }

  private requireToCome({ status, startsAt }: Game): void {
    if (status !== 'scheduled' || this.clock.now() >= startsAt)
      throw sportsErrors.GAME_STATE_CONFLICT({ status, startsAt: startsAt.toISOString() });
  }

  /** What is wrong with a feed's prices of one market is wrong with an operator's. Of a prop those outcomes count that have a price. */
  private requirePlausible(
    { sport }: Game,
    { kind, line, prop, title, outcomes, places }: PricedMarket,
    offered: readonly OfferedPrice[],
  ): void {
    const { checks } = this.rules.sports;
    const prices = offered.map(({ outcome, american, decimal }): FeedPrice => {
      if (american !== null) return { outcome, american };
      return { outcome, ...(decimal === null ? {} : { decimal }) };
    });
    const named = (outcomes ?? []).filter(({ key }) => prices.some(({ outcome }) => outcome === key));
    const what = prop === null ? {} : { prop: { key: prop, title: title ?? prop, outcomes: named, places } };
    const fault = marketFault(sport, { kind, line, prices, ...what }, checks);
    if (fault)
      throw sportsErrors.PRICES_IMPLAUSIBLE({
        field: 'prices',
        reason: fault.reason,
        ...fault.details,
        minimum: checks.overroundMin,
        maximum: checks.overroundMax,
      });
  }

  private async record(
    manager: EntityManager,
    { userId: actorId }: Subject,
    action: string,
    subjectId: string,
    details: object,
  ): Promise<void> {
    await this.audit.record(manager, { actorId, action, subjectType: 'market', subjectId, details });
  }
}

function requireDistinct(outcomes: readonly string[]): void {
  if (new Set(outcomes).size < outcomes.length) throw sportsErrors.OFFER_INVALID({ field: 'outcomes' });
}

function rowOf(gameId: string, marketId: string, outcome: string, offered: OfferedPriceDto): PriceRow {
  const { american = null, decimal = null } = offered;
  return {
    gameId,
    marketId,
    outcome,
    american,
    decimal,
    oddsId: newId(),
    price: exactPrice(outcome, offered),
  };
}

function exactPrice(outcome: string, { american, decimal }: OfferedPriceDto): Price {
  try {
    if (american !== undefined && decimal === undefined) return priceFromAmerican(american);
    if (american === undefined && decimal !== undefined) return priceFromDecimal(decimal);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw sportsErrors.OFFER_INVALID({ field: 'price', outcome });
}

function told(rows: readonly PriceRow[]): object[] {
  return rows.map(({ outcome, american, decimal, oddsId }) => ({ outcome, oddsId, american, decimal }));
}
