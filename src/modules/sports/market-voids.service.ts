import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import type { Listed } from '../../platform/http/answers.js';
import { cursorPage, type CursorQuery, DEFAULT_LIMIT, readCursor } from '../../platform/http/pagination.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { Subject } from '../../platform/security/subject.js';
import type { MarketVoidDto } from './dto/market-voids.dto.js';
import { MarketBetsPort } from './market-bets.port.js';
import { MarketVoidsRepository, type VoidRequestRow } from './market-voids.repository.js';
import { sportsErrors } from './sports.errors.js';

const HOUR_MS = 3_600_000;
const CURSOR = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** Two people for a market with many bets: the first asks, another one's asking is the consent. */
@Injectable()
export class MarketVoidsService {
  constructor(
    private readonly repository: MarketVoidsRepository,
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
    { userId }: Subject,
    marketId: string,
    reason: string,
  ): Promise<MarketVoidDto | null> {
    const { secondApprovalBets, secondApprovalHours } = this.rules.settlement;
    const bets = await this.bets.countBets(manager, marketId);
    if (bets <= secondApprovalBets) return null;
    const now = this.clock.now();
    const pending = await this.repository.findPending(manager, marketId, now);
    if (pending?.requested_by === userId)
      throw sportsErrors.SECOND_PERSON_NEEDED({ bets, expiresAt: pending.expires_at.toISOString() });
    if (pending) {
      await this.repository.approve(manager, pending.id, userId, now);
      return null;
    }
    const row: VoidRequestRow = {
      id: newId(),
      market_id: marketId,
      requested_by: userId,
      requested_at: now,
      expires_at: new Date(now.getTime() + secondApprovalHours * HOUR_MS),
      reason,
      bets,
    };
    await this.repository.insert(manager, row);
    await this.audit.record(manager, {
      actorId: userId,
      action: 'market.void-request',
      subjectType: 'market',
      subjectId: marketId,
      details: { requestId: row.id, reason, bets },
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
    marketId: row.market_id,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    reason: row.reason,
    bets: row.bets,
  };
}
