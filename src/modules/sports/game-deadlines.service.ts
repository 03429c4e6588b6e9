import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Rules } from '../../platform/config/rules.js';
import { DeadlinesService } from '../../platform/jobs/deadlines.service.js';
import type { Game } from './entities/game.entity.js';
import { SPORTS_DEADLINES } from './sports.events.js';

const HOUR_MS = 3_600_000;

/** Until when a game is waited for, and what happens at its start. */
@Injectable()
export class GameDeadlinesService {
  constructor(
    private readonly deadlines: DeadlinesService,
    private readonly rules: Rules,
  ) {}

  /** Sets the deadlines of games whose start is new or has moved. None is given up before `keptUntil`. */
  async schedule(
    manager: EntityManager,
    games: { id: string; startsAt: Date; keptUntil?: Date }[],
  ): Promise<void> {
    const overdueMs = this.rules.settlement.unfinishedVoidHours * HOUR_MS;
    await this.deadlines.set(
      manager,
      SPORTS_DEADLINES.gameLock,
      ...games.map(({ id, startsAt }) => ({ subject: id, dueAt: startsAt })),
    );
    await this.deadlines.set(
      manager,
      SPORTS_DEADLINES.gameOverdue,
      ...games.map(({ id, startsAt, keptUntil }) => ({
        subject: id,
        dueAt: new Date(Math.max(startsAt.getTime() + overdueMs, keptUntil?.getTime() ?? 0)),
      })),
    );
  }

  /** A game without a new start is given up at the end of its grace. */
  async waitForStart(manager: EntityManager, game: Game): Promise<void> {
    const due = { subject: game.id, dueAt: this.graceEndsAt(game) };
    await this.deadlines.set(manager, SPORTS_DEADLINES.gameOverdue, due);
  }

  /** A feed's result stands from then on, if nobody says otherwise. */
  async confirmAt(manager: EntityManager, gameId: string, dueAt: Date): Promise<void> {
    await this.deadlines.set(manager, SPORTS_DEADLINES.gameConfirm, { subject: gameId, dueAt });
  }

  graceEndsAt({ firstStartsAt }: Game): Date {
    return new Date(firstStartsAt.getTime() + this.rules.settlement.postponedGraceHours * HOUR_MS);
  }

  overdueAt(game: Game): Date {
    if (game.status === 'postponed') return this.graceEndsAt(game);
    return new Date(game.startsAt.getTime() + this.rules.settlement.unfinishedVoidHours * HOUR_MS);
  }
}
