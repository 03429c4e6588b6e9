import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../../platform/observability/audit.service.js';
import { Clock } from '../../platform/clock/clock.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import type { Subject } from '../../platform/security/subject.js';
import { type MarketEvent, marketMachine } from './domain/markets.js';
import type { GameDto } from './dto/games.dto.js';
import type { Game } from './entities/game.entity.js';
import type { Market } from './entities/market.entity.js';
import { GamesRepository } from './games.repository.js';
import { GamesService } from './games.service.js';
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
  ) {}

  async suspend(subject: Subject, marketId: string, reason: string): Promise<GameDto> {
    return await this.move(subject, marketId, 'suspend', reason);
  }

  async resume(subject: Subject, marketId: string, reason: string): Promise<GameDto> {
    return await this.move(subject, marketId, 'resume', reason);
  }

  /** Voids a market: its bets are graded void, also those that were graded otherwise before. */
  async void(subject: Subject, marketId: string, reason: string): Promise<GameDto> {
    return await this.move(subject, marketId, 'void', reason);
  }

  private async move(
    subject: Subject,
    marketId: string,
    event: MarketEvent,
    reason: string,
  ): Promise<GameDto> {
    const market = await this.repository.findMarket(marketId);
    if (!market) throw sportsErrors.MARKET_NOT_FOUND({ marketId });
    await this.unitOfWork.run(async (manager) => {
      // The game's row before its gate and before the market's row, as everywhere.
      const game = await this.repository.lockGame(manager, market.gameId);
      if (!game) throw sportsErrors.GAME_NOT_FOUND({ gameId: market.gameId });
      await this.repository.shutGate(manager, market.gameId);
      if (event === 'resume') this.requireToCome(game, market);
      await this.perform(manager, market, event);
      if (event === 'resume') await this.repository.liftHalt(manager, market, this.clock.now());
      if (event === 'void') await this.publishNewResult(manager, game);
      await this.audit.record(manager, {
        actorId: subject.userId,
        action: `market.${event}`,
        subjectType: 'market',
        subjectId: marketId,
        details: { reason },
      });
    });
    this.cache.clear();
    return await this.games.get(market.gameId);
  }

  private async perform(manager: EntityManager, market: Market, event: MarketEvent): Promise<void> {
    const to = marketMachine.next(market.status, event);
    const moved =
      to !== null &&
      (await this.repository.moveMarket(manager, market.id, marketMachine.from(event), to, this.clock.now()));
    if (!moved) throw sportsErrors.MARKET_STATE_CONFLICT({ status: market.status, wanted: event });
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
