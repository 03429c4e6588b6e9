import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { DeadlinesService } from '../../platform/jobs/deadlines.service.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { type GameEvent, gameMachine, type GameState, marketMachine } from './domain/markets.js';
import type { Game } from './entities/game.entity.js';
import { GamesRepository } from './games.repository.js';
import { SlateCache } from './slate-cache.js';
import { sportsErrors } from './sports.errors.js';
import { gameResultRecorded, SPORTS_DEADLINES } from './sports.events.js';
import type { GameReport } from './sports.types.js';

const HOUR_MS = 3_600_000;
const OVER: readonly GameState[] = ['final', 'cancelled', 'abandoned'];

/** How each end comes about: as the first that is told of the game, or in place of another. */
const END_EVENTS = {
  final: { first: 'finish', correction: 'correct' },
  cancelled: { first: 'cancel', correction: 'correct_to_cancelled' },
  abandoned: { first: 'abandon', correction: 'correct_to_abandoned' },
} as const;

/**
 * What becomes of a game: its start, its result, a correction, a postponement. Whatever ends betting on it shuts the
 * game's gate first: bets being placed are waited for, and once this has committed none is accepted.
 */
@Injectable()
export class ResultsService {
  constructor(
    private readonly repository: GamesRepository,
    private readonly outbox: OutboxService,
    private readonly deadlines: DeadlinesService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
    private readonly cache: SlateCache,
  ) {}

  /** Records what an admin or a feed says. Saying the same again changes nothing. */
  async report(actorId: string | null, gameId: string, report: GameReport): Promise<void> {
    await this.unitOfWork.run(async (manager) => this.reportIn(manager, actorId, gameId, report));
    this.cache.clear();
  }

  /** `report` as part of a transaction; its caller clears the slate's cache after the commit. */
  async reportIn(
    manager: EntityManager,
    actorId: string | null,
    gameId: string,
    report: GameReport,
  ): Promise<void> {
    const game = await this.enter(manager, gameId);
    if (isSame(game, report)) return;
    if (OVER.includes(game.status) && report.reason === undefined)
      throw sportsErrors.CORRECTION_NEEDS_REASON({ field: 'reason', status: game.status });
    await this.apply(manager, game, report);
    await this.audit.record(manager, {
      actorId,
      action: 'game.result',
      subjectType: 'game',
      subjectId: gameId,
      details: { from: factsOf(game), to: report },
    });
  }

  /** At the official start: betting closes. Called by the deadline, which may come late or twice. */
  async lockAtStart(gameId: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const game = await this.enter(manager, gameId);
      if (game.status !== 'scheduled' || this.clock.now() < game.startsAt) return;
      await this.change(manager, game, 'start');
      await this.closeBetting(manager, gameId);
    });
    this.cache.clear();
  }

  /** Not over in time: void, though what is decided stands. Called by the deadline, which may come late or twice. */
  async giveUp(gameId: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const game = await this.enter(manager, gameId);
      if (OVER.includes(game.status) || this.clock.now() < this.overdueAt(game)) return;
      await this.abandon(manager, game);
    });
    this.cache.clear();
  }

  /** Sets the deadlines of games whose start is new or has moved. None is given up before `keptUntil`. */
  async scheduleDeadlines(
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

  private async enter(manager: EntityManager, gameId: string): Promise<Game> {
    // The row first: whoever waits for it must not keep bets outside meanwhile.
    const game = await this.repository.lockGame(manager, gameId);
    if (!game) throw sportsErrors.GAME_NOT_FOUND({ gameId });
    await this.repository.shutGate(manager, gameId);
    return game;
  }

  private async apply(manager: EntityManager, game: Game, report: GameReport): Promise<void> {
    switch (report.status) {
      case 'postponed':
        return await this.postpone(manager, game, report.startsAt ?? null);
      case 'in_progress': {
        this.requireStarted(game);
        const stand = standOf(game, report);
        requireScores(report.status, stand);
        await this.change(manager, game, game.status === 'scheduled' ? 'start' : 'stand', stand);
        return await this.closeBetting(manager, game.id);
      }
      case 'cancelled':
        return await this.finish(manager, game, 'cancelled', NO_STAND);
      case 'final':
      case 'abandoned':
        this.requireStarted(game);
        requireScores(report.status, standOf(NO_STAND, report));
        return await this.finish(manager, game, report.status, standOf(NO_STAND, report));
    }
  }

  /** The game is over, or is over otherwise than was said: a new version of its result, to be settled. */
  private async finish(
    manager: EntityManager,
    game: Game,
    end: keyof typeof END_EVENTS,
    result: Partial<Game>,
  ): Promise<void> {
    const version = game.resultVersion + 1;
    const { first, correction } = END_EVENTS[end];
    const event = OVER.includes(game.status) ? correction : first;
    await this.change(manager, game, event, { ...result, resultVersion: version });
    await this.repository.moveMarkets(
      manager,
      game.id,
      marketMachine.from('close'),
      'closed',
      this.clock.now(),
    );
    await this.outbox.publish(manager, gameResultRecorded, { gameId: game.id, version });
  }

  /** A new start within the sport's grace keeps the bets; without one the game has until the end of the grace. */
  private async postpone(manager: EntityManager, game: Game, startsAt: Date | null): Promise<void> {
    if (OVER.includes(game.status)) throw conflict(game, 'postpone');
    const now = this.clock.now();
    if (startsAt !== null && startsAt <= now)
      throw sportsErrors.GAME_STATE_CONFLICT({ field: 'startsAt', now: now.toISOString() });
    if (startsAt !== null && startsAt <= this.graceEndsAt(game)) {
      await this.change(manager, game, 'reschedule', { startsAt, ...NO_STAND });
      await this.repository.moveMarkets(manager, game.id, marketMachine.from('reopen'), 'open', now);
      await this.scheduleDeadlines(manager, [{ id: game.id, startsAt }]);
      return;
    }
    if (startsAt !== null) return await this.abandon(manager, game);
    await this.change(manager, game, 'postpone');
    await this.closeBetting(manager, game.id);
    await this.deadlines.set(manager, SPORTS_DEADLINES.gameOverdue, {
      subject: game.id,
      dueAt: this.graceEndsAt(game),
    });
  }

  /** A game that will not be finished: what was decided before it broke off stands. */
  private async abandon(manager: EntityManager, game: Game): Promise<void> {
    const begun = game.status === 'in_progress' || game.homeScore !== null;
    await this.finish(manager, game, begun ? 'abandoned' : 'cancelled', {});
  }

  private async change(
    manager: EntityManager,
    game: Game,
    event: GameEvent,
    facts: Partial<Game> = {},
  ): Promise<void> {
    const status = gameMachine.next(game.status, event);
    if (status === null) throw conflict(game, event);
    const change = { ...facts, status, updatedAt: this.clock.now() };
    if (!(await this.repository.updateGame(manager, game.id, [game.status], change)))
      throw conflict(game, event);
  }

  /** What is suspended stays so: were the start moved, an operator's halt and a line that has moved away must not open. */
  private async closeBetting(manager: EntityManager, gameId: string): Promise<void> {
    await this.repository.moveMarkets(manager, gameId, ['open'], 'closed', this.clock.now());
  }

  private requireStarted(game: Game): void {
    if (this.clock.now() < game.startsAt)
      throw sportsErrors.GAME_NOT_STARTED({ startsAt: game.startsAt.toISOString() });
  }

  private graceEndsAt(game: Game): Date {
    return new Date(game.firstStartsAt.getTime() + this.rules.settlement.postponedGraceHours * HOUR_MS);
  }

  private overdueAt(game: Game): Date {
    if (game.status === 'postponed') return this.graceEndsAt(game);
    return new Date(game.startsAt.getTime() + this.rules.settlement.unfinishedVoidHours * HOUR_MS);
  }
}

/** A game that was played to its end, or long enough to count, has two scores. */
function requireScores(status: GameReport['status'], { homeScore, awayScore, minutesPlayed }: Stand): void {
  const counts = status === 'final' || minutesPlayed !== null;
  if (counts && (homeScore === null || awayScore === null))
    throw sportsErrors.RESULT_INCOMPLETE({ field: homeScore === null ? 'homeScore' : 'awayScore' });
}

type Stand = Pick<Game, 'homeScore' | 'awayScore' | 'minutesPlayed'>;

const NO_STAND: Stand = { homeScore: null, awayScore: null, minutesPlayed: null };

/** How a game stands: what is left out is as it was. It decides if the game is never finished. */
function standOf(before: Stand, { homeScore, awayScore, minutesPlayed }: GameReport): Stand {
  return {
    homeScore: homeScore ?? before.homeScore,
    awayScore: awayScore ?? before.awayScore,
    minutesPlayed: minutesPlayed ?? before.minutesPlayed,
  };
}

function factsOf({ status, homeScore, awayScore, minutesPlayed, startsAt }: Game): object {
  return { status, homeScore, awayScore, minutesPlayed, startsAt };
}

function isSame(game: Game, report: GameReport): boolean {
  if (report.status === 'postponed' && report.startsAt !== undefined)
    return game.status === 'scheduled' && game.startsAt.getTime() === report.startsAt.getTime();
  if (game.status !== report.status) return false;
  if (report.status === 'postponed') return true;
  if (report.status === 'cancelled') return true;
  if (report.status === 'in_progress') return isStand(game, standOf(game, report));
  return isStand(game, standOf(NO_STAND, report));
}

function isStand(game: Game, stand: Stand): boolean {
  return (
    game.homeScore === stand.homeScore &&
    game.awayScore === stand.awayScore &&
    game.minutesPlayed === stand.minutesPlayed
  );
}

function conflict(game: Game, wanted: GameEvent): Error {
  return sportsErrors.GAME_STATE_CONFLICT({ status: game.status, wanted });
}
