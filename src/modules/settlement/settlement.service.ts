import { Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { BetsGradingService } from '../bets/bets-grading.service.js';
import { WeeksService } from '../pools/weeks.service.js';
import { GamesService } from '../sports/games.service.js';
import type { GameFacts, MarketFacts } from '../sports/sports.types.js';
import { chunkFailure } from './domain/chunk-failure.js';
import { cutChunks, isDecided, judgedMarkets, kindOf, verdictsOf } from './domain/verdicts.js';
import { settlementErrors } from './settlement.errors.js';
import { gameSettled, settlementStarted } from './settlement.events.js';
import { SettlementRepository, type SettlementRow } from './settlement.repository.js';

const HELPERS = 4;

/**
 * Grades the bets on a game by a version of its result. The start writes down the verdict and the chunks; workers then
 * grade chunk by chunk, each a short transaction, and whoever finds none left ends it. A killed worker's chunk rolls back
 * and is taken by another; a chunk graded twice changes nothing.
 */
@Injectable()
export class SettlementService {
  /** Those of all games take turns, so that a small one need not wait for a large one. */
  private readonly graders: LimitFunction;

  constructor(
    private readonly repository: SettlementRepository,
    private readonly bets: BetsGradingService,
    private readonly games: GamesService,
    private readonly weeks: WeeksService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {
    this.graders = pLimit(rules.settlement.gradersPerWorker);
  }

  /**
   * Starts the settlement of a result. An event that speaks of a version that is no longer the game's is passed over. While
   * the result is to be confirmed only markets that were voided are judged.
   */
  async start(gameId: string, version: number): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const game = await this.games.lockFacts(manager, gameId);
      if (game.resultVersion !== version) return;
      const markets = judgedMarkets(game, await this.games.marketFacts(manager, gameId));
      await this.repository.supersede(manager, gameId, version);
      const ids = markets.map((market) => market.id);
      // The week the game is in may wait for it without a bet: the end of its settlement is what settles that week.
      const candidates = await this.weeks.idsAround(manager, game.firstStartsAt, game.startsAt);
      const weekIds = new Set([
        ...(await this.bets.weeksOf(manager, ids, candidates)),
        ...(await this.repository.weeksOfGame(manager, gameId)),
        this.weeks.idAt(game.startsAt),
      ]);
      for (const weekId of weekIds) await this.startWeek(manager, game, markets, weekId);
      if (isDecided(game)) await this.games.markGraded(manager, gameId);
    });
  }

  private async startWeek(
    manager: EntityManager,
    game: GameFacts,
    markets: MarketFacts[],
    weekId: number,
  ): Promise<void> {
    const { actionMinutes, chunkBets } = this.rules.settlement;
    const marketIds = markets.map((market) => market.id);
    const chunks = cutChunks(await this.bets.countByPool(manager, weekId, marketIds), chunkBets);
    const key = { game_id: game.id, week_id: weekId, result_version: game.resultVersion };
    const grades = verdictsOf(game, markets, actionMinutes[game.sport] ?? null);
    const settlement: SettlementRow = {
      id: newId(),
      ...key,
      kind: kindOf(await this.repository.findGradesBefore(manager, key), grades),
      status: 'running',
      starts_at: game.startsAt,
      market_ids: marketIds,
      grades,
      chunks_total: chunks.length,
      created_at: this.clock.now(),
      completed_at: null,
    };
    if (!(await this.repository.insert(manager, settlement))) return;
    await this.repository.insertChunks(manager, settlement.id, chunks);
    const helpers = Math.min(HELPERS, Math.max(1, chunks.length));
    for (let helper = 1; helper <= helpers; helper += 1)
      await this.outbox.publish(manager, settlementStarted, { settlementId: settlement.id, helper });
  }

  /** Grades chunks until none is left for this worker; ends the settlement when all are done. */
  async run(settlementId: string): Promise<void> {
    const settlement = await this.repository.find(settlementId);
    if (!settlement) throw settlementErrors.SETTLEMENT_NOT_FOUND({ settlementId });
    while (await this.graders(() => this.gradeNextChunk(settlementId)));
    await this.unitOfWork.run(async (manager) => {
      const { id, game_id: gameId, week_id: weekId, result_version: resultVersion } = settlement;
      if (!(await this.repository.finish(manager, id, this.clock.now()))) return;
      await this.outbox.publish(manager, gameSettled, { settlementId: id, gameId, weekId });
      if (await this.repository.hasEarlier(manager, gameId, resultVersion))
        await this.audit.record(manager, {
          actorId: null,
          action: 'game.regrade',
          subjectType: 'game',
          subjectId: gameId,
          details: { settlementId: id, weekId, resultVersion },
        });
    });
  }

  private async gradeNextChunk(settlementId: string): Promise<boolean> {
    try {
      return await this.unitOfWork.run(async (manager) => {
        const changed = await this.repository.gradeChunk(manager, settlementId, this.clock.now());
        if (changed !== null && changed > 0) this.bets.graded(manager);
        return changed !== null;
      });
    } catch (error) {
      const failure = chunkFailure(error);
      if (failure) await this.repository.noteFailure(settlementId, failure.number, failure.error);
      throw error;
    }
  }
}
