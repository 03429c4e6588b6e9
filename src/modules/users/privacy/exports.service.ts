import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import { AuditService } from '../../../platform/observability/audit.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import type { Subject } from '../../../platform/security/subject.js';
import { ExportChunks } from './export-chunks.service.js';
import { type ExportRow, ExportsRepository } from './exports.repository.js';
import type { ExportState } from './exports.types.js';
import { privacyErrors } from './privacy.errors.js';
import { privacyEvents } from './privacy.events.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** An unfinished export that shows no sign of life for so long has lost its worker and its job. */
const LOST_MS = HOUR_MS;

/**
 * A user's own data as a zip: asked for, looked after, downloaded. ExportWriterService writes it. Who asks must have proved
 * to be the user, which is looked at above, in `auth/privacy`, in the same transaction.
 */
@HasHousekeeping()
@Injectable()
export class ExportsService implements Forgetful {
  readonly forgets = [
    async (limit: number) => await this.repository.forgetChunks(this.clock.now(), limit),
    async (limit: number) => await this.repository.forgetExpired(this.clock.now(), limit),
  ];

  constructor(
    private readonly repository: ExportsRepository,
    private readonly chunks: ExportChunks,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** A new export, or the one that is being written. Throws EXPORT_TOO_SOON. */
  async request(manager: EntityManager, { userId }: Subject): Promise<ExportState> {
    const last = await this.repository.newestOf(manager, userId);
    if (last === null || last.status === 'ready') return await this.begin(manager, userId, last);
    return await this.unfinished(manager, last);
  }

  /** The export that is being written, if one is. */
  async findUnfinished(manager: EntityManager, { userId }: Subject): Promise<ExportState | null> {
    const last = await this.repository.newestOf(manager, userId);
    return last === null || last.status === 'ready' ? null : await this.unfinished(manager, last);
  }

  /**
   * The newest export, with a new link to it when it is ready; where there is none to look at, it is begun. The link ends
   * with the session. Throws EXPORT_TOO_SOON.
   */
  async find(manager: EntityManager, { userId, sessionId }: Subject): Promise<ExportState> {
    const last = await this.repository.newestOf(manager, userId);
    const now = this.clock.now();
    if (last === null || (last.expires_at !== null && last.expires_at <= now))
      return await this.begin(manager, userId, last);
    if (last.status !== 'ready') return await this.unfinished(manager, last);
    const token = randomBytes(32).toString('base64url');
    await this.repository.addLink(manager, {
      exportId: last.id,
      tokenHash: hashToken(token),
      sessionId,
      now,
    });
    return toState(last, token);
  }

  /** For who ends sessions, in the transaction that does: the links that were given to them work no longer. */
  async endWithSessions(manager: EntityManager, sessionIds: readonly string[]): Promise<void> {
    if (sessionIds.length > 0) await this.repository.removeLinksOf(manager, sessionIds);
  }

  /**
   * The zip, piece by piece as the client takes it. The link alone is the proof, so that it opens in a browser.
   * Throws EXPORT_LINK_INVALID.
   */
  async download(exportId: string, token: string): Promise<StreamableFile> {
    const now = this.clock.now();
    const linkedSince = new Date(now.getTime() - this.rules.privacy.exportLinkMinutes * MINUTE_MS);
    const found = await this.repository.findByLink(exportId, hashToken(token), { now, linkedSince });
    const pieces = found && this.chunks.read({ exportId, attempt: found.attempt }, Number(found.bytes));
    const first = await pieces?.next();
    if (!pieces || !first || first.done === true) throw privacyErrors.EXPORT_LINK_INVALID();
    return new StreamableFile(Readable.from(startingWith(first.value, pieces), { objectMode: false }), {
      type: 'application/zip',
      disposition: `attachment; filename="parley-${exportId}.zip"`,
      length: Number(found.bytes),
    });
  }

  private async begin(manager: EntityManager, userId: string, last: ExportRow | null): Promise<ExportState> {
    const now = this.clock.now();
    const next = (last?.requested_at.getTime() ?? 0) + this.rules.privacy.exportHours * HOUR_MS;
    if (next > now.getTime())
      throw privacyErrors.EXPORT_TOO_SOON({ retryAfter: Math.ceil((next - now.getTime()) / 1000) });
    const id = newId();
    if (await this.repository.insert(manager, id, userId, now)) {
      await this.outbox.publish(manager, privacyEvents.exportRequested, { exportId: id });
      await this.audit.record(manager, {
        actorId: userId,
        action: 'user.export-requested',
        subjectType: 'user',
        subjectId: userId,
        details: { exportId: id },
      });
    }
    const newest = await this.repository.newestOf(manager, userId);
    if (!newest) throw new Error('an export vanished while it was begun');
    return toState(newest, null);
  }

  private async unfinished(manager: EntityManager, row: ExportRow): Promise<ExportState> {
    const now = this.clock.now();
    const lostBefore = new Date(now.getTime() - LOST_MS);
    if (await this.repository.revive(manager, row.id, lostBefore, now))
      await this.outbox.publish(manager, privacyEvents.exportRequested, { exportId: row.id });
    return toState(row, null);
  }
}

function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

function toState(row: ExportRow, token: string | null): ExportState {
  return {
    id: row.id,
    status: row.status,
    progress: {
      sectionsDone: row.sections_done,
      sectionsTotal: row.sections_total,
      bytes: Number(row.bytes),
    },
    requestedAt: row.requested_at.toISOString(),
    readyAt: row.ready_at?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
    downloadUrl: token === null ? null : `/api/v1/users/me/export/${row.id}/download?token=${token}`,
  };
}
