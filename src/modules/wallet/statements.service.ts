import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { csvRecord } from '../../platform/http/csv.js';
import { httpErrors } from '../../platform/http/http.errors.js';
import { RateLimitStorage } from '../../platform/security/rate-limit.storage.js';
import { TierCounts } from '../../platform/security/tier-counts.js';
import { decimalText } from './domain/statement.js';
import type { StatementQuery } from './dto/wallet.dto.js';
import {
  type EntryFilter,
  type EntryKey,
  type EntryPage,
  type EntryRow,
  FIRST,
  LAST,
  WalletRepository,
} from './wallet.repository.js';
import { filterOf } from './wallet.service.js';

const HEADER = csvRecord([
  'id',
  'booked at',
  'effective at',
  'type',
  'account',
  'amount',
  'balance after',
  'currency',
  'transfer',
  'reference',
  'reverses',
]);
/** Entries that are read, and held, at a time. */
const BATCH = 1000;

/** A user's transactions as a file. */
@Injectable()
export class StatementsService {
  constructor(
    private readonly repository: WalletRepository,
    private readonly storage: RateLimitStorage,
    private readonly counts: TierCounts,
    private readonly rules: Rules,
    private readonly clock: Clock,
  ) {}

  /** Record by record as the client takes it. Throws VALIDATION_FAILED, RATE_LIMITED. */
  async write(userId: string, query: StatementQuery): Promise<StreamableFile> {
    const filter = filterOf(query);
    await this.count(userId);
    const day = this.clock.now().toISOString().slice(0, 10);
    const { rows } = await this.repository.newestEntries(
      userId,
      { ...filter, type: null },
      { before: LAST, limit: 1 },
    );
    return new StreamableFile(Readable.from(this.records(userId, filter, rows[0]), { objectMode: false }), {
      type: 'text/csv; charset=utf-8; header=present',
      disposition: `attachment; filename="statement-${day}.csv"`,
    });
  }

  /**
   * Up to the entry that was the newest when it began, a batch a query: a client that takes its time holds no connection
   * and no snapshot.
   */
  private async *records(
    userId: string,
    filter: EntryFilter,
    newest: EntryRow | undefined,
  ): AsyncGenerator<string> {
    yield HEADER;
    if (!newest) return;
    const before = { micros: newest.micros, id: String(BigInt(newest.id) + 1n) };
    for (let after: EntryKey | null = FIRST; after !== null;) {
      const page: EntryPage = await this.repository.oldestEntries(userId, filter, {
        after,
        before,
        limit: BATCH,
      });
      if (page.rows.length > 0) yield page.rows.map(recordOf).join('');
      after = page.rows.length < BATCH ? page.goesOnAfter : (page.rows.at(-1) ?? null);
    }
  }

  private async count(userId: string): Promise<void> {
    const { limit: unscaled, seconds } = this.rules.rateLimits.walletStatement;
    const limit = this.counts.scaled(unscaled);
    const count = await this.storage.increment(userId, seconds * 1000, limit, 0, 'wallet-statement');
    if (count.isBlocked) throw httpErrors.RATE_LIMITED({ limit, retryAfter: count.timeToBlockExpire });
  }
}

function recordOf(row: EntryRow): string {
  return csvRecord([
    row.id,
    row.created_at.toISOString(),
    row.effective_at.toISOString(),
    row.type,
    row.account,
    decimalText(BigInt(row.amount), row.currency),
    decimalText(BigInt(row.balance_after), row.currency),
    row.currency,
    row.transfer_id,
    row.reference,
    row.reverses ?? '',
  ]);
}
