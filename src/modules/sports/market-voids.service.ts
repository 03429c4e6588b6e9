import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import type { Listed } from '../../platform/http/answers.js';
import { cursorPage, type CursorQuery, DEFAULT_LIMIT, readCursor } from '../../platform/http/pagination.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { GameReport } from './domain/game-report.js';
import type { GameResultDto } from './dto/games.dto.js';
import type { MarketVoidDto } from './dto/market-voids.dto.js';
import { GamesRepository } from './games.repository.js';
import { MarketBetsPort } from './market-bets.port.js';
import { MarketVoidsRepository, type VoidRequestRow, type VoidTarget } from './market-voids.repository.js';
import { sportsErrors } from './sports.errors.js';

const HOUR_MS = 3_600_000;
const CURSOR = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

interface Asked extends VoidTarget {
  readonly reason: string | null;
}

/** Two people for many bets, on a market or on a whole game: the first asks, another one's asking is the consent. */
@Injectable()
export class MarketVoidsService {
  constructor(
    private readonly repository: MarketVoidsRepository,
    private readonly games: GamesRepository,
    private readonly bets: MarketBetsPort,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Null when the market may be voided now: it has few bets, or another person has asked for it within
   * `secondApprovalHours`. Otherwise notes that this person asks, and answers what waits. The caller holds the game and its shut
   * gate, so that no bet comes meanwhile and nobody else decides. Throws SECOND_PERSON_NEEDED when the same person asks again.
   */
  async requireSecond(
    manager: EntityManager,
    userId: string,
    market: { id: string; gameId: string },
    reason: string,
  ): Promise<MarketVoidDto | null> {
    const asked = { game_id: market.gameId, market_id: market.id, report: null, reason };
    return await this.require(manager, userId, asked, [market.id]);
  }

  /**
   * The same of a word by which the markets of a game are void: by the bets on those that are not yet. The second person says the same
   * of it; whoever says something else asks anew, in place of who asked before.
   */
  async requireSecondForGame(
    manager: EntityManager,
    userId: string,
    gameId: string,
    { reason = null, ...word }: Omit<GameReport, 'reason'> & { reason?: string | null },
  ): Promise<MarketVoidDto | null> {
    const markets = await this.games.marketsOf(manager, gameId);
    const voidable = markets.filter(({ status }) => status !== 'voided').map(({ id }) => id);
    // As JSON has it, in which it is kept and compared.
    const report = JSON.parse(JSON.stringify(word)) as GameResultDto;
    return await this.require(
      manager,
      userId,
      { game_id: gameId, market_id: null, report, reason },
      voidable,
    );
  }

  private async require(
    manager: EntityManager,
    userId: string,
    asked: Asked,
    marketIds: readonly string[],
  ): Promise<MarketVoidDto | null> {
    const { secondApprovalBets, secondApprovalHours } = this.rules.settlement;
    const bets = await this.bets.countBets(manager, marketIds);
    if (bets <= secondApprovalBets) return null;
    const now = this.clock.now();
    const pending = await this.repository.findPending(manager, asked, now);
    if (pending?.requested_by === userId)
      throw sportsErrors.SECOND_PERSON_NEEDED({ bets, expiresAt: pending.expires_at.toISOString() });
    if (pending) {
      await this.repository.approve(manager, pending.id, userId, now);
      return null;
    }
    const row: VoidRequestRow = {
      ...asked,
      id: newId(),
      requested_by: userId,
      requested_at: now,
      expires_at: new Date(now.getTime() + secondApprovalHours * HOUR_MS),
      bets,
    };
    await this.repository.insert(manager, row);
    const subjectType = row.market_id === null ? 'game' : 'market';
    await this.audit.record(manager, {
      actorId: userId,
      action: `${subjectType}.void-request`,
      subjectType,
      subjectId: row.market_id ?? row.game_id,
      details: { requestId: row.id, reason: row.reason, bets, ...(row.report ? { result: row.report } : {}) },
    });
    return toDto(row);
  }

  /** What waits for a second person, oldest first. */
  async pending(query: CursorQuery): Promise<Listed<MarketVoidDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const [after = null] = readCursor(query.cursor, CURSOR) ?? [];
    const rows = await this.repository.pending(this.clock.now(), after, limit + 1);
    return cursorPage(rows, limit, ({ id }) => [id], toDto);
  }
}

function toDto(row: VoidRequestRow): MarketVoidDto {
  return {
    id: row.id,
    gameId: row.game_id,
    marketId: row.market_id,
    result: row.report,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    reason: row.reason,
    bets: row.bets,
  };
}
