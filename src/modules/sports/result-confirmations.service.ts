import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { isOver } from './domain/game-report.js';
import { marketMachine } from './domain/markets.js';
import type { Game } from './entities/game.entity.js';
import { GamesRepository } from './games.repository.js';
import { MarketVoidsService } from './market-voids.service.js';
import { gameResultRecorded } from './sports.events.js';

/** What was said of a game is said again, or by nobody otherwise. The caller holds the game and its shut gate. */
@Injectable()
export class ResultConfirmationsService {
  constructor(
    private readonly repository: GamesRepository,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    private readonly voids: MarketVoidsService,
  ) {}

  /** A file, or a person, says what is known: a person's word it is from now on. */
  async agree(manager: EntityManager, game: Game, actorId: string | null): Promise<void> {
    const waited = game.confirmDueAt !== null;
    if (!waited && (actorId === null || game.toldByPerson || !isOver(game.status))) return;
    // Whoever wanted the game or a market of it voided before has been contradicted.
    await this.voids.forget(manager, game.id);
    if (waited) return await this.confirm(manager, game, actorId);
    await this.repository.updateGame(manager, game.id, [game.status], { toldByPerson: true });
    await this.note(manager, game, actorId, game.resultVersion);
  }

  /** What waited to be confirmed becomes a version of the game's result, to be settled. */
  async confirm(manager: EntityManager, game: Game, actorId: string | null): Promise<void> {
    const now = this.clock.now();
    const version = game.resultVersion + 1;
    await this.repository.updateGame(manager, game.id, [game.status], {
      confirmedAt: now,
      confirmDueAt: null,
      toldByPerson: actorId !== null,
      resultVersion: version,
      updatedAt: now,
    });
    // What was suspended had stayed so, in case that the word was taken back.
    await this.repository.moveMarkets(manager, game.id, marketMachine.from('close'), 'closed', now);
    await this.outbox.publish(manager, gameResultRecorded, { gameId: game.id, version });
    await this.note(manager, game, actorId, version);
  }

  /** Who has said what, what was known before, and whose request of it they agreed with, where it took two. */
  async noteWord(
    manager: EntityManager,
    before: Game,
    to: object,
    actorId: string | null,
    agreed: object | null = null,
  ): Promise<void> {
    await this.audit.record(manager, {
      actorId,
      action: 'game.result',
      subjectType: 'game',
      subjectId: before.id,
      details: { from: factsOf(before), to, ...(agreed ? { request: agreed } : {}) },
    });
  }

  private async note(
    manager: EntityManager,
    game: Game,
    actorId: string | null,
    version: number,
  ): Promise<void> {
    await this.audit.record(manager, {
      actorId,
      action: 'game.confirm',
      subjectType: 'game',
      subjectId: game.id,
      details: { result: factsOf(game), version },
    });
  }
}

function factsOf(game: Game): object {
  const { status, homeScore, awayScore, minutesPlayed, periods, props, startsAt } = game;
  return { status, homeScore, awayScore, minutesPlayed, periods, props, startsAt };
}
