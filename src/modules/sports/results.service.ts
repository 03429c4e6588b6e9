import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import {
  endEvent,
  endOf,
  type GameEnd,
  type GameReport,
  hasStand,
  isKnown,
  isOver,
  missingScore,
  NO_STAND,
  type Stand,
  standOf,
} from './domain/game-report.js';
import { type GameEvent, gameMachine, marketMachine } from './domain/markets.js';
import type { MarketVoidDto } from './dto/market-voids.dto.js';
import type { Game } from './entities/game.entity.js';
import { GameDeadlinesService } from './game-deadlines.service.js';
import { GamesRepository } from './games.repository.js';
import { ALONE, type Consent, MarketVoidsService } from './market-voids.service.js';
import { ResultConfirmationsService } from './result-confirmations.service.js';
import { SettledWeeksPort } from './settled-weeks.port.js';
import { SlateCache } from './slate-cache.js';
import { sportsErrors } from './sports.errors.js';
import { gameResultRecorded } from './sports.events.js';

/** Whose word it is: a person's, a file's or the platform's counts at once, a feed's when nobody says otherwise for a while. */
interface Word {
  readonly confirm: 'now' | 'later';
  /** Who has said it, of people, and what. */
  readonly actorId: string | null;
  readonly report: GameReport | null;
}

/** A word that waits for a second person; null when it has taken effect. */
type Waits = MarketVoidDto | null;

/**
 * What becomes of a game: its start, its result, a correction, a postponement. Whatever ends betting on it shuts the
 * game's gate first: bets being placed are waited for, and once this has committed none is accepted.
 */
@Injectable()
export class ResultsService {
  constructor(
    private readonly repository: GamesRepository,
    private readonly outbox: OutboxService,
    private readonly deadlines: GameDeadlinesService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
    private readonly cache: SlateCache,
    private readonly settledWeeks: SettledWeeksPort,
    private readonly confirmations: ResultConfirmationsService,
    private readonly voids: MarketVoidsService,
  ) {}

  /**
   * Records what an admin, a file or a feed says. Saying the same again changes nothing. With `confirm: 'later'`, a feed's
   * word, a result is graded when `settlement.confirmAfterSeconds` have passed without another one. A person's word that voids many bets
   * changes nothing and is answered with what waits, until another person says the same.
   */
  async report(
    actorId: string | null,
    gameId: string,
    report: GameReport,
    options: Pick<Word, 'confirm'> = { confirm: 'now' },
  ): Promise<Waits> {
    const waits = await this.unitOfWork.run(async (manager) =>
      this.reportIn(manager, actorId, gameId, report, options),
    );
    this.cache.clear();
    return waits;
  }

  /** `report` as part of a transaction; its caller clears the slate's cache after the commit. */
  async reportIn(
    manager: EntityManager,
    actorId: string | null,
    gameId: string,
    report: GameReport,
    { confirm }: Pick<Word, 'confirm'> = { confirm: 'now' },
  ): Promise<Waits> {
    const word: Word = { confirm, actorId, report };
    const game = await this.enter(manager, gameId);
    if (isKnown(game, report)) {
      if (confirm === 'now') await this.confirmations.agree(manager, game, actorId);
      return null;
    }
    if (isOver(game.status)) await this.requireCorrectable(manager, game, report, word);
    const consent = await this.apply(manager, game, report, word);
    if (consent.waits) return consent.waits;
    await this.confirmations.noteWord(manager, game, report, actorId, consent.agreed);
    return null;
  }

  /**
   * A feed takes back, before it is confirmed, a start that was put off so far that the game was cancelled; its caller has read so of
   * the row that it holds.
   */
  async reinstateIn(manager: EntityManager, gameId: string): Promise<void> {
    const game = await this.enter(manager, gameId);
    await this.change(manager, game, 'reinstate', { confirmDueAt: null, sourceStartsAt: game.startsAt });
    if (!game.interrupted) await this.reopen(manager, gameId);
    await this.deadlines.schedule(manager, [{ id: gameId, startsAt: game.startsAt }]);
    await this.confirmations.noteWord(manager, game, { status: 'scheduled' }, null);
  }

  /** Nobody has said otherwise: the result is graded. Called by the deadline, which may come late or twice. */
  async confirm(gameId: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const game = await this.enter(manager, gameId);
      // A word that came meanwhile has set the deadline anew.
      if (game.confirmDueAt === null || this.clock.now() < game.confirmDueAt) return;
      await this.confirmations.confirm(manager, game, null);
    });
    this.cache.clear();
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

  /** Not over in time: void, though what is decided stands, unless its score is in doubt. Called by the deadline, which may come late or twice. */
  async giveUp(gameId: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const game = await this.enter(manager, gameId);
      if (isOver(game.status) || this.clock.now() < this.deadlines.overdueAt(game)) return;
      const doubted = await this.repository.hasScoreInDoubt(manager, gameId);
      const word = { confirm: 'now', actorId: null, report: null } as const;
      if (doubted) await this.finish(manager, game, 'abandoned', { ...NO_STAND }, word);
      else await this.abandon(manager, game, word);
    });
    this.cache.clear();
  }

  private async enter(manager: EntityManager, gameId: string): Promise<Game> {
    // The row first: whoever waits for it must not keep bets outside meanwhile.
    const game = await this.repository.lockGame(manager, gameId);
    if (!game) throw sportsErrors.GAME_NOT_FOUND({ gameId });
    await this.repository.shutGate(manager, gameId);
    return game;
  }

  /** A feed corrects itself until the week is settled, but nobody else; everyone else says why. */
  private async requireCorrectable(
    manager: EntityManager,
    game: Game,
    report: GameReport,
    { confirm }: Word,
  ): Promise<void> {
    if (confirm === 'now') {
      if (report.reason === undefined)
        throw sportsErrors.CORRECTION_NEEDS_REASON({ field: 'reason', status: game.status });
    } else if (game.toldByPerson || (await this.settledWeeks.isSettled(manager, game)))
      throw sportsErrors.RESULT_CLOSED({ status: game.status, toldByPerson: game.toldByPerson });
  }

  private async apply(manager: EntityManager, game: Game, report: GameReport, word: Word): Promise<Consent> {
    if (report.status === 'postponed')
      return await this.postpone(manager, game, report.startsAt ?? null, word);
    // What is not played needs no start.
    if (report.status !== 'cancelled' && report.status !== 'walkover') this.requireStarted(game);
    const stand = standOf(game, report);
    const missing = missingScore(report.status, stand);
    if (missing) throw sportsErrors.RESULT_INCOMPLETE({ field: missing });
    if (report.status !== 'in_progress') return await this.finish(manager, game, report.status, stand, word);
    await this.change(manager, game, game.status === 'scheduled' ? 'start' : 'stand', stand);
    await this.closeBetting(manager, game.id);
    return ALONE;
  }

  /** The game is over, or is over otherwise than was said: once that is confirmed, a new version of its result. */
  private async finish(
    manager: EntityManager,
    game: Game,
    end: GameEnd,
    result: Partial<Stand>,
    { confirm, actorId, report }: Word,
  ): Promise<Consent> {
    const consent =
      actorId === null || report === null
        ? ALONE
        : await this.voids.requireSecondForGame(manager, actorId, game, report);
    if (consent.waits) return consent;
    const now = this.clock.now();
    const dueAt = new Date(now.getTime() + this.rules.settlement.confirmAfterSeconds * 1000);
    const version = game.resultVersion + 1;
    const confirmed = { confirmedAt: now, confirmDueAt: null, resultVersion: version };
    await this.change(manager, game, endEvent(game.status, end), {
      ...result,
      toldByPerson: actorId !== null,
      ...(confirm === 'now' ? confirmed : { confirmedAt: null, confirmDueAt: dueAt }),
    });
    if (confirm === 'now') {
      await this.repository.moveMarkets(manager, game.id, marketMachine.from('close'), 'closed', now);
      await this.outbox.publish(manager, gameResultRecorded, { gameId: game.id, version });
      return consent;
    }
    await this.closeBetting(manager, game.id);
    await this.deadlines.confirmAt(manager, game.id, dueAt);
    return consent;
  }

  /**
   * A new start within the sport's grace keeps the bets; without one the game has until the end of the grace. Once that is over nothing
   * is waited for, and to put the game off is to end it.
   */
  private async postpone(
    manager: EntityManager,
    game: Game,
    startsAt: Date | null,
    word: Word,
  ): Promise<Consent> {
    if (isOver(game.status)) throw conflict(game, 'postpone');
    const now = this.clock.now();
    if (startsAt !== null && startsAt <= now)
      throw sportsErrors.GAME_STATE_CONFLICT({ field: 'startsAt', now: now.toISOString() });
    const graceEndsAt = this.deadlines.graceEndsAt(game);
    if (startsAt !== null && startsAt <= graceEndsAt) {
      const interrupted = game.interrupted || hasStand(game);
      await this.change(manager, game, 'reschedule', { startsAt, interrupted, ...NO_STAND });
      if (!interrupted) await this.reopen(manager, game.id);
      await this.deadlines.schedule(manager, [{ id: game.id, startsAt }]);
      return ALONE;
    }
    if (startsAt !== null || now >= graceEndsAt) return await this.abandon(manager, game, word);
    await this.change(manager, game, 'postpone');
    await this.closeBetting(manager, game.id);
    await this.deadlines.waitForStart(manager, game);
    return ALONE;
  }

  /** A game that will not be finished: what was decided before it broke off stands. */
  private async abandon(manager: EntityManager, game: Game, word: Word): Promise<Consent> {
    const { status } = endOf(game, { status: 'postponed' });
    return await this.finish(manager, game, status, {}, word);
  }

  /** What waits for a second person was said of the game as it was: unless it only goes on, nobody has consented to more of it. */
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
    if (event !== 'start' && event !== 'stand') await this.voids.forget(manager, game.id);
  }

  /** What is suspended stays so: were the start moved, an operator's halt and a line that has moved away must not open. */
  private async closeBetting(manager: EntityManager, gameId: string): Promise<void> {
    await this.repository.moveMarkets(manager, gameId, ['open'], 'closed', this.clock.now());
  }

  /** Not of a game that was interrupted: its score is known, and the prices are of before. */
  private async reopen(manager: EntityManager, gameId: string): Promise<void> {
    const now = this.clock.now();
    await this.repository.reopenMarkets(manager, gameId, marketMachine.from('reopen'), now);
  }

  private requireStarted(game: Game): void {
    if (this.clock.now() < game.startsAt)
      throw sportsErrors.GAME_NOT_STARTED({ startsAt: game.startsAt.toISOString() });
  }
}

function conflict(game: Game, wanted: GameEvent): Error {
  return sportsErrors.GAME_STATE_CONFLICT({ status: game.status, wanted });
}
