import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import type { Listed } from '../../platform/http/answers.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../platform/http/pagination.js';
import type { SettlementDetailDto, SettlementDto, SettlementsQuery } from './dto/settlement.dto.js';
import { settlementErrors } from './settlement.errors.js';
import { type SettlementProgressRow, SettlementRepository } from './settlement.repository.js';

const MAX_ERRORS = 50;
const CURSOR = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** How far settlements are, for operators. */
@Injectable()
export class SettlementProgressService {
  constructor(
    private readonly repository: SettlementRepository,
    private readonly clock: Clock,
  ) {}

  async get(id: string): Promise<SettlementDetailDto> {
    const row = await this.repository.findProgress(id);
    if (!row) throw settlementErrors.SETTLEMENT_NOT_FOUND({ settlementId: id });
    return Object.assign(this.toDto(row), { errors: await this.repository.failedChunks(id, MAX_ERRORS) });
  }

  /** Newest first. Throws INVALID_CURSOR. */
  async list(query: SettlementsQuery): Promise<Listed<SettlementDto>> {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const [before = null] = readCursor(query.cursor, CURSOR) ?? [];
    const { gameId = null, status = null } = query;
    const rows = await this.repository.list({ gameId, status, before, limit: limit + 1 });
    return cursorPage(
      rows,
      limit,
      ({ id }) => [id],
      (row) => this.toDto(row),
    );
  }

  private toDto(row: SettlementProgressRow): SettlementDto {
    const [done, total] = [Number(row.bets_done), Number(row.bets_total)];
    const seconds = ((row.completed_at ?? this.clock.now()).getTime() - row.created_at.getTime()) / 1000;
    return {
      id: row.id,
      gameId: row.game_id,
      resultVersion: row.result_version,
      kind: row.kind,
      status: row.status,
      chunksDone: row.chunks_done,
      chunksTotal: row.chunks_total,
      betsDone: done,
      betsLeft: total - done,
      betsTotal: total,
      betsPerSecond: seconds > 0 ? Math.round(done / seconds) : done,
      createdAt: row.created_at.toISOString(),
      completedAt: row.completed_at?.toISOString() ?? null,
    };
  }
}
