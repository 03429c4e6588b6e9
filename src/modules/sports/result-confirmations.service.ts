import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { isOver } from './domain/game-report.js';
import { marketMachine } from './domain/markets.js';
import type { Game } from './entities/game.entity.js';
import { GamesRepository } from './games.repository.js';
import { gameResultRecorded } from './sports.events.js';

/** What was said of a game is said again, or by nobody otherwise. The caller holds the game and its shut gate. */
@Injectable()
export class ResultConfirmationsService {
  constructor(
    private readonly repository: GamesRepository,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  /** A file, or a person, says what is known: a person's word it is from now on. */
  async agree(manager: EntityManager, game: Game, actorId: string | null): Promise<void> {
    if (game.confirmDueAt !== null) return await this.confirm(manager, game, actorId);
    if (actorId === null || game.toldByPerson || !isOver(game.status)) return;
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

  /** Who has said what, and what was known before. */
  async noteWord(manager: EntityManager, before: Game, to: object, actorId: string | null): Promise<void> {
    await this.audit.record(manager, {
      actorId,
      action: 'game.result',
      subjectType: 'game',
      subjectId: before.id,
      details: { from: factsOf(before), to },
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
