import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { Rules } from '../config/rules.js';
import { csvRecord } from '../http/csv.js';
import { httpErrors } from '../http/http.errors.js';
import { RateLimitStorage } from '../security/rate-limit.storage.js';
import { TierCounts } from '../security/tier-counts.js';
import type { AuditFilterQuery } from './audit-log.dto.js';
import { type AuditFilter, AuditLogRepository, type AuditRow } from './audit-log.repository.js';
import { filterOf } from './audit-log.service.js';

const HEADER = csvRecord(['id', 'at', 'actor', 'action', 'subject type', 'subject', 'details', 'request']);
/** Entries that are read, and held, at a time. */
const BATCH = 1000;

/** The audit log as a file. */
@Injectable()
export class AuditExportService {
  constructor(
    private readonly repository: AuditLogRepository,
    private readonly storage: RateLimitStorage,
    private readonly counts: TierCounts,
    private readonly rules: Rules,
    private readonly clock: Clock,
  ) {}

  /** Record by record as the client takes it. Throws RATE_LIMITED. */
  async write(userId: string, query: AuditFilterQuery): Promise<StreamableFile> {
    await this.count(userId);
    const day = this.clock.now().toISOString().slice(0, 10);
    const filter = filterOf(query);
    const [newest] = await this.repository.newest(filter, null, 1);
    return new StreamableFile(Readable.from(this.records(filter, newest), { objectMode: false }), {
      type: 'text/csv; charset=utf-8; header=present',
      disposition: `attachment; filename="audit-${day}.csv"`,
    });
  }

  /**
   * Up to the entry that was the newest when it began, a batch a query: a client that takes its time holds no connection
   * and no snapshot.
   */
  private async *records(filter: AuditFilter, newest: AuditRow | undefined): AsyncGenerator<string> {
    yield HEADER;
    if (!newest) return;
    let page: AuditRow[] = [];
    do {
      page = await this.repository.oldest(filter, page.at(-1) ?? null, newest, BATCH);
      if (page.length > 0) yield page.map(recordOf).join('');
    } while (page.length === BATCH);
  }

  private async count(userId: string): Promise<void> {
    const { limit: unscaled, seconds } = this.rules.rateLimits.auditExport;
    const limit = this.counts.scaled(unscaled);
    const count = await this.storage.increment(userId, seconds * 1000, limit, 0, 'audit-export');
    if (count.isBlocked) throw httpErrors.RATE_LIMITED({ limit, retryAfter: count.timeToBlockExpire });
  }
}

function recordOf(row: AuditRow): string {
  return csvRecord([
    row.id,
    row.at.toISOString(),
    row.actor_id ?? '',
    row.action,
    row.subject_type,
    row.subject_id,
    JSON.stringify(row.details),
    row.request_id ?? '',
  ]);
}
