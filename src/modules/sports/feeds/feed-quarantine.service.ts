import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { Accepted, type Listed } from '../../../platform/http/answers.js';
import { cursorPage, DEFAULT_LIMIT, readCursor } from '../../../platform/http/pagination.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import type { MarketVoidDto } from '../dto/market-voids.dto.js';
import { ResultsService } from '../results.service.js';
import { SlateCache } from '../slate-cache.js';
import { type Acceptable, acceptableOf } from './domain/acceptable.js';
import type { DecideDoubtDto, FeedDoubtDto, FeedDoubtsQuery } from './dto/feeds.dto.js';
import { FeedDoubtsService } from './feed-doubts.service.js';
import { FeedQuarantineRepository, type QuarantineRow } from './feed-quarantine.repository.js';
import { feedErrors } from './feeds.errors.js';

const CURSOR = [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/];

/** What feeds said and is not believed, and what operators make of it. */
@Injectable()
export class FeedQuarantineService {
  constructor(
    private readonly repository: FeedQuarantineRepository,
    private readonly doubts: FeedDoubtsService,
    private readonly results: ResultsService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly cache: SlateCache,
  ) {}

  /** The oldest first. Throws INVALID_CURSOR. */
  async list(query: FeedDoubtsQuery): Promise<Listed<FeedDoubtDto>> {
    const { limit = DEFAULT_LIMIT, status = 'open', source = null } = query;
    const [after = null] = readCursor(query.cursor, CURSOR) ?? [];
    const rows = await this.repository.list({ status, source, after }, limit + 1);
    return cursorPage(rows, limit, ({ id }) => [id], toDto);
  }

  /**
   * Accepting a score, a result or a start takes it over as the operator's own word; prices come right by themselves, when the feed
   * gives others. A word that voids many bets is taken over by the second person who accepts it; the first is answered with what waits.
   * Of several who decide at once the first one does. Throws what reporting throws; then nothing is decided.
   */
  async decide(
    { userId: by }: Subject,
    id: string,
    { decision, reason }: DecideDoubtDto,
  ): Promise<FeedDoubtDto | Accepted<MarketVoidDto>> {
    const status = decision === 'accept' ? 'accepted' : 'dismissed';
    const decided = await this.unitOfWork.run(async (manager) => {
      const row = await this.repository.lockOpen(manager, id);
      if (row === null) return false;
      const waits = decision === 'accept' ? await this.accept(manager, by, row, reason) : null;
      if (waits) return waits;
      await this.repository.decide(manager, id, { status, by, note: reason, now: this.clock.now() });
      await this.audit.record(manager, {
        actorId: by,
        action: `feed-quarantine.${status}`,
        subjectType: 'feed-quarantine',
        subjectId: id,
        details: { source: row.source, kind: row.kind, gameId: row.game_id, reason: row.reason },
      });
      return true;
    });
    this.cache.clear();
    if (typeof decided === 'object') return new Accepted(decided);
    const row = await this.repository.find(id);
    if (row === null) throw feedErrors.FEED_DOUBT_NOT_FOUND({ id });
    if (!decided) throw feedErrors.FEED_DOUBT_ALREADY_DECIDED({ status: row.status });
    this.doubts.forget({ ...row, externalId: row.external_id });
    return toDto(row);
  }

  private async accept(
    manager: EntityManager,
    by: string,
    row: QuarantineRow,
    reason: string,
  ): Promise<MarketVoidDto | null> {
    const acceptable: Acceptable = acceptableOf(row);
    if ('why' in acceptable) throw feedErrors.FEED_DOUBT_NOT_ACCEPTABLE({ why: acceptable.why });
    return await this.results.reportIn(manager, by, acceptable.gameId, { ...acceptable.report, reason });
  }
}

function toDto(row: QuarantineRow): FeedDoubtDto {
  return {
    id: row.id,
    source: row.source,
    kind: row.kind,
    externalId: row.external_id,
    gameId: row.game_id,
    reason: row.reason,
    details: row.details,
    firstSeenAt: row.first_seen_at.toISOString(),
    lastSeenAt: row.last_seen_at.toISOString(),
    times: row.times,
    status: row.status,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at?.toISOString() ?? null,
    decisionNote: row.decision_note,
  };
}
