import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import type { Listed } from '../../platform/http/answers.js';
import { cursorPage, type CursorQuery, DEFAULT_LIMIT, readCursor } from '../../platform/http/pagination.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import type { Subject } from '../../platform/security/subject.js';
import { endOf, type GameReport, hasAction } from './domain/game-report.js';
import type { GameResultDto } from './dto/games.dto.js';
import type { MarketVoidDto } from './dto/market-voids.dto.js';
import type { Game } from './entities/game.entity.js';
import type { Market } from './entities/market.entity.js';
import { GamesRepository } from './games.repository.js';
import { MarketBetsPort } from './market-bets.port.js';
import { MarketVoidsRepository, type VoidRequestRow, type VoidTarget } from './market-voids.repository.js';
import { sportsErrors } from './sports.errors.js';

const HOUR_MS = 3_600_000;
const CURSOR = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

interface Asked extends VoidTarget {
  readonly reason: string | null;
}

/** With whose request somebody has agreed; as the audit log names it. */
export interface Agreed {
  readonly requestId: string;
  readonly requestedBy: string;
}

/** What comes of it that somebody wants something voided: it waits for another, or is done. */
export type Consent =
  { readonly waits: MarketVoidDto } | { readonly waits: null; readonly agreed: Agreed | null };

/** Nobody else is needed. */
export const ALONE: Consent = { waits: null, agreed: null };

/** Two people for many bets, on a market or on a whole game: the first asks, another one's asking is the consent. */
@Injectable()
export class MarketVoidsService {
  constructor(
    private readonly repository: MarketVoidsRepository,
    private readonly games: GamesRepository,
    private readonly bets: MarketBetsPort,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Whether the market may be voided now: it has few bets, or another person, who may still do so, has asked for it within
   * `secondApprovalHours`. Otherwise notes that this person asks, and answers what waits. The bets of other markets of the game that
   * one person alone has voided count with it, lest a game be voided by one person a market at a time. The caller holds the game and
   * its shut gate, so that no bet comes meanwhile and nobody else decides. Throws SECOND_PERSON_NEEDED when the same person asks again.
   */
  async requireSecond(
    manager: EntityManager,
    userId: string,
    market: { id: string; gameId: string },
    reason: string,
  ): Promise<Consent> {
    const byOne = await this.notVoidedByTwo(manager, market.gameId);
    const counted = byOne.filter(({ id, status }) => id === market.id || status === 'voided');
    const asked = { game_id: market.gameId, market_id: market.id, report: null, reason };
    return await this.require(manager, userId, asked, counted, () => true);
  }

  /**
   * The same of a word by which the markets of a game are void: by the bets on all but those that two people have voided. The second
   * person's word comes to the same; who says what comes to something else asks anew, in place of who asked before.
   */
  async requireSecondForGame(
    manager: EntityManager,
    userId: string,
    game: Game,
    said: GameReport,
  ): Promise<Consent> {
    const end = endOf(game, said);
    if (hasAction({ ...end, actionMinutes: this.rules.settlement.actionMinutes[game.sport] ?? null }))
      return ALONE;
    const { reason = null, ...word } = said;
    // As JSON has it, in which it is kept.
    const report = JSON.parse(JSON.stringify(word)) as GameResultDto;
    const asked = { game_id: game.id, market_id: null, report, reason };
    const counted = await this.notVoidedByTwo(manager, game.id);
    return await this.require(manager, userId, asked, counted, (pending) =>
      isDeepStrictEqual(endOf(game, pending.report ?? report), end),
    );
  }

  /** A game is another by now, or its start is: what was asked for before is nobody's consent. The caller holds it. */
  async forget(manager: EntityManager, ...gameIds: string[]): Promise<void> {
    await this.repository.forget(manager, gameIds);
  }

  /** Takes back what waits, be it one's own or another's. Throws MARKET_VOID_NOT_FOUND. */
  async withdraw({ userId }: Subject, id: string): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const row = await this.repository.withdraw(manager, id, this.clock.now());
      if (row === null) throw sportsErrors.MARKET_VOID_NOT_FOUND({ id });
      await this.note(manager, userId, 'void-withdrawn', row, { requestedBy: row.requested_by });
    });
  }

  private async notVoidedByTwo(manager: EntityManager, gameId: string): Promise<Market[]> {
    const byTwo = await this.repository.voidedByTwo(manager, gameId);
    return (await this.games.marketsOf(manager, gameId)).filter(({ id }) => !byTwo.has(id));
  }

  private async require(
    manager: EntityManager,
    userId: string,
    asked: Asked,
    counted: readonly Market[],
    isSame: (pending: VoidRequestRow) => boolean,
  ): Promise<Consent> {
    const { secondApprovalBets, secondApprovalHours } = this.rules.settlement;
    const ids = counted.map(({ id }) => id);
    const bets = await this.bets.countBets(manager, ids);
    if (bets <= secondApprovalBets) return ALONE;
    const now = this.clock.now();
    const pending = await this.repository.findPending(manager, asked, now);
    if (pending && isSame(pending)) {
      if (pending.requested_by === userId)
        throw sportsErrors.SECOND_PERSON_NEEDED({ bets, expiresAt: pending.expires_at.toISOString() });
      await this.repository.approve(manager, pending.id, userId, now);
      return { waits: null, agreed: { requestId: pending.id, requestedBy: pending.requested_by } };
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
    await this.note(manager, userId, 'void-request', row, { reason: row.reason, bets });
    return { waits: toDto(row) };
  }

  private async note(
    manager: EntityManager,
    actorId: string,
    action: string,
    row: VoidRequestRow,
    details: object,
  ): Promise<void> {
    const subjectType = row.market_id === null ? 'game' : 'market';
    await this.audit.record(manager, {
      actorId,
      action: `${subjectType}.${action}`,
      subjectType,
      subjectId: row.market_id ?? row.game_id,
      details: { requestId: row.id, ...details, ...(row.report ? { result: row.report } : {}) },
    });
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
