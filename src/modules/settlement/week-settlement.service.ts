import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { DomainError } from '../../platform/http/domain-error.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { BetsGradingService } from '../bets/bets-grading.service.js';
import { PrizesService } from '../pools/prizes.service.js';
import { WeeksService } from '../pools/weeks.service.js';
import { GamesService } from '../sports/games.service.js';
import { settlementErrors } from './settlement.errors.js';
import { weekSettled } from './settlement.events.js';
import { SettlementRepository } from './settlement.repository.js';

type LockedWeek = Awaited<ReturnType<WeeksService['getLocked']>>;

/** Ends a week: final tables and prizes, once every game has its result and no bet is open. */
@Injectable()
export class WeekSettlementService {
  constructor(
    private readonly weeks: WeeksService,
    private readonly games: GamesService,
    private readonly bets: BetsGradingService,
    private readonly prizes: PrizesService,
    private readonly repository: SettlementRepository,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Settles the week if it is ready; of several callers at once one does. Not ready, or settled with the tables that it
   * has now: nothing happens.
   */
  async settleIfReady(weekId: number): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const week = await this.weeks.findLocked(manager, weekId);
      // Games of weeks that nobody could play are settled too.
      if (!week || (await this.obstacle(manager, week))) return;
      if (week.status === 'settled' && !(await this.prizes.areOutdated(manager, weekId))) return;
      await this.settle(manager, weekId, null);
    });
  }

  /** Settles the week, or says what stands in the way. Settled already: tables are made anew, and prizes corrected. */
  async settleNow(weekId: number, actorId: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const obstacle = await this.obstacle(manager, await this.weeks.getLocked(manager, weekId));
      if (obstacle) throw obstacle;
      await this.settle(manager, weekId, actorId);
    });
  }

  private async settle(manager: EntityManager, weekId: number, actorId: string | null): Promise<void> {
    await this.prizes.award(manager, weekId, actorId);
    // A week that was settled before has had a correction: its tables are made anew, the week stays settled.
    const first = await this.weeks.markSettled(manager, weekId);
    await this.outbox.publish(manager, weekSettled, { weekId });
    await this.audit.record(manager, {
      actorId,
      action: first ? 'week.settle' : 'week.resettle',
      subjectType: 'week',
      subjectId: String(weekId),
      details: {},
    });
  }

  /**
   * Games of the week without a result that may be graded, and results whose settlement has not begun: of games that start in it, and of
   * those that were settled in it before their start moved out of it, or whose result is being corrected. They are locked, after the
   * week, so that no result is replaced before the week is settled on it.
   */
  private async countUnsettled(
    manager: EntityManager,
    week: LockedWeek,
  ): Promise<{ open: number; unstarted: number }> {
    const settled = await this.repository.gamesOfWeek(manager, week.id);
    const games = await this.games.lockResults(manager, week.startsAt, week.endsAt, settled);
    const ready = games.filter((game) => game.ready);
    return {
      open: games.length - ready.length,
      unstarted: await this.repository.countUnstarted(manager, ready),
    };
  }

  /** What keeps a locked week from being settled. */
  private async obstacle(manager: EntityManager, week: LockedWeek): Promise<DomainError | null> {
    if (week.status !== 'closed' && week.status !== 'settled')
      return settlementErrors.WEEK_NOT_OVER({ status: week.status, endsAt: week.endsAt.toISOString() });
    const { open, unstarted } = await this.countUnsettled(manager, week);
    if (open > 0) return settlementErrors.WEEK_HAS_OPEN_GAMES({ games: open });
    const bets = await this.bets.countOpen(manager, week.id);
    const settlements = unstarted + (await this.repository.countRunning(manager, week.id));
    return bets > 0 || settlements > 0 ? settlementErrors.WEEK_HAS_OPEN_BETS({ bets, settlements }) : null;
  }
}
