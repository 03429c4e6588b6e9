import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../../platform/observability/audit.service.js';
import { Clock } from '../../platform/clock/clock.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { Accepted } from '../../platform/http/answers.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import type { Subject } from '../../platform/security/subject.js';
import { type MarketEvent, marketMachine } from './domain/markets.js';
import type { GameDto } from './dto/games.dto.js';
import type { MarketVoidDto } from './dto/market-voids.dto.js';
import type { Game } from './entities/game.entity.js';
import type { Market } from './entities/market.entity.js';
import { GamesRepository } from './games.repository.js';
import { GamesService } from './games.service.js';
import { ALONE, MarketVoidsService } from './market-voids.service.js';
import { SlateCache } from './slate-cache.js';
import { sportsErrors } from './sports.errors.js';
import { gameResultRecorded } from './sports.events.js';

/** What an operator does to a market: suspend, reopen, void. The game's gate is shut first, so no bet slips through. */
@Injectable()
export class MarketsService {
  constructor(
    private readonly repository: GamesRepository,
    private readonly games: GamesService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly cache: SlateCache,
    private readonly voids: MarketVoidsService,
  ) {}

  async suspend(subject: Subject, marketId: string, reason: string): Promise<GameDto> {
    return await this.games.get((await this.move(subject, marketId, 'suspend', reason)).gameId);
  }

  async resume(subject: Subject, marketId: string, reason: string): Promise<GameDto> {
    return await this.games.get((await this.move(subject, marketId, 'resume', reason)).gameId);
  }

  /**
   * Voids a market: its bets are graded void, also those that were graded otherwise before. One with many bets is voided by
   * the second person who asks for it; the first is answered with what waits.
   */
  async void(subject: Subject, marketId: string, reason: string): Promise<GameDto | Accepted<MarketVoidDto>> {
    const { gameId, waits } = await this.move(subject, marketId, 'void', reason);
    return waits ? new Accepted(waits) : await this.games.get(gameId);
  }

  private async move(
    subject: Subject,
    marketId: string,
    event: MarketEvent,
    reason: string,
  ): Promise<{ gameId: string; waits: MarketVoidDto | null }> {
    const market = await this.repository.findMarket(marketId);
    if (!market) throw sportsErrors.MARKET_NOT_FOUND({ marketId });
    const { gameId } = market;
    const waits = await this.unitOfWork.run(async (manager) => {
      // The game's row before its gate and before the market's row, as everywhere.
      const game = await this.repository.lockGame(manager, gameId);
      if (!game) throw sportsErrors.GAME_NOT_FOUND({ gameId });
      await this.repository.shutGate(manager, gameId);
      if (event === 'resume') this.requireToCome(game, market);
      let consent = ALONE;
      if (event === 'void') {
        await this.requireVoidable(manager, market);
        consent = await this.voids.requireSecond(manager, subject.userId, market, reason);
      }
      if (consent.waits) return consent.waits;
      await this.perform(manager, market, event);
      if (event === 'resume') await this.repository.liftHalt(manager, market, this.clock.now());
      if (event === 'void') await this.publishNewResult(manager, game);
      await this.audit.record(manager, {
        actorId: subject.userId,
        action: `market.${event}`,
        subjectType: 'market',
        subjectId: marketId,
        details: { reason, ...(consent.agreed ? { request: consent.agreed } : {}) },
      });
      return null;
    });
    this.cache.clear();
    return { gameId, waits };
  }

  private async perform(manager: EntityManager, market: Market, event: MarketEvent): Promise<void> {
    const to = marketMachine.next(market.status, event);
    const moved =
      to !== null &&
      (await this.repository.moveMarket(manager, market.id, marketMachine.from(event), to, this.clock.now()));
    if (!moved) throw sportsErrors.MARKET_STATE_CONFLICT({ status: market.status, wanted: event });
  }

  /** As it is by now: who comes after the second person must not ask anew. */
  private async requireVoidable(manager: EntityManager, { id, gameId }: Market): Promise<void> {
    const markets = await this.repository.marketsOf(manager, gameId);
    const status = markets.find((one) => one.id === id)?.status ?? 'voided';
    if (marketMachine.next(status, 'void') === null)
      throw sportsErrors.MARKET_STATE_CONFLICT({ status, wanted: 'void' });
  }

  /** A market does not open again once its game has started, is put off or is over. */
  private requireToCome(game: Game, market: Market): void {
    if (game.status !== 'scheduled' || this.clock.now() >= game.startsAt)
      throw sportsErrors.MARKET_STATE_CONFLICT({
        status: market.status,
        wanted: 'resume',
        game: game.status,
      });
  }

  /** A voided market is a new version of the game's outcome, so that it is settled like a corrected result. */
  private async publishNewResult(manager: EntityManager, game: Game): Promise<void> {
    const version = game.resultVersion + 1;
    await this.repository.updateGame(manager, game.id, [game.status], {
      resultVersion: version,
      updatedAt: this.clock.now(),
    });
    await this.outbox.publish(manager, gameResultRecorded, { gameId: game.id, version });
  }
}
