import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Report, ReportReason, ReportState, ReportSubject } from './reports.types.js';

export interface FiledReportRow {
  id: string;
  subject_type: ReportSubject;
  subject_id: string;
  reason: ReportReason;
  note: string | null;
  created_at: Date;
}

export interface NewReportRow extends FiledReportRow {
  reporter_id: string;
  user_id: string;
}

const FILED = 'id, subject_type, subject_id, reason, note, created_at';

const SEEN = `SELECT r.id, r.subject_type AS "subjectType", r.subject_id AS "subjectId", r.user_id AS "userId",
    u.handle AS "userHandle", r.reporter_id AS "reporterId", f.handle AS "reporterHandle", r.reason, r.note, r.status,
    r.created_at AS "createdAt", r.decided_at AS "decidedAt", r.decided_by AS "decidedBy",
    r.decision_note AS "decisionNote", c.open AS "openOnSubject", c.all AS "allOnSubject"
  FROM reports r
  JOIN users u ON u.id = r.user_id
  JOIN users f ON f.id = r.reporter_id
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE s.status = 'open')::int AS open, count(*)::int AS all
    FROM reports s WHERE s.subject_type = r.subject_type AND s.subject_id = r.subject_id) c`;

@Injectable()
export class ReportsRepository {
  constructor(private readonly database: Database) {}

  /** Holds off other reports of the same user, so that counting and filing are one. */
  async lockReporter(manager: EntityManager, reporterId: string): Promise<void> {
    await manager.query('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [reporterId]);
  }

  /** When the `limit`-th latest report since then was filed; null while there are fewer. Index: ix_reports_reporter. */
  async limitReachedAt(
    manager: EntityManager,
    reporterId: string,
    since: Date,
    limit: number,
  ): Promise<Date | null> {
    const [row] = await manager.query<{ created_at: Date }[]>(
      `SELECT created_at FROM reports WHERE reporter_id = $1 AND created_at > $2
       ORDER BY created_at DESC OFFSET $3 LIMIT 1`,
      [reporterId, since, limit - 1],
    );
    return row?.created_at ?? null;
  }

  /** Index: ux_reports_open. */
  async findOpen(
    manager: EntityManager,
    report: Pick<NewReportRow, 'reporter_id' | 'subject_type' | 'subject_id'>,
  ): Promise<FiledReportRow | null> {
    const [row] = await manager.query<FiledReportRow[]>(
      `SELECT ${FILED} FROM reports
       WHERE reporter_id = $1 AND subject_type = $2 AND subject_id = $3 AND status = 'open'`,
      [report.reporter_id, report.subject_type, report.subject_id],
    );
    return row ?? null;
  }

  async insert(manager: EntityManager, row: NewReportRow): Promise<void> {
    await manager.query(
      `INSERT INTO reports (id, reporter_id, subject_type, subject_id, user_id, reason, note, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        row.id,
        row.reporter_id,
        row.subject_type,
        row.subject_id,
        row.user_id,
        row.reason,
        row.note,
        row.created_at,
      ],
    );
  }

  async find(id: string): Promise<Report | null> {
    const [row] = await this.database.query<Report>('reports.one', `${SEEN} WHERE r.id = $1`, [id]);
    return row ?? null;
  }

  /** Those of a state, oldest first. Indexes: ix_reports_queue, ix_reports_subject for the counts. */
  async list(status: ReportState, after: string | null, limit: number): Promise<Report[]> {
    return await this.database.query<Report>(
      'reports.list',
      `${SEEN} WHERE r.status = $1 AND ($2::uuid IS NULL OR r.id > $2) ORDER BY r.id LIMIT $3`,
      [status, after, limit],
    );
  }

  /**
   * Moves every report on the subject that is in one of the states `from`; how many, and whether `id` was among them. They
   * are locked in the order of their ids, so of two who decide at once one finds them as the other has left them.
   */
  async decide(
    manager: EntityManager,
    report: Pick<Report, 'id' | 'subjectType' | 'subjectId'>,
    from: readonly ReportState[],
    decision: { status: ReportState; by: string; note: string; now: Date },
  ): Promise<{ count: number; included: boolean }> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE reports SET status = $4, decided_by = $5, decision_note = $6, decided_at = $7
       WHERE id = ANY (ARRAY(
         SELECT id FROM reports WHERE subject_type = $1 AND subject_id = $2 AND status = ANY ($3::text[])
         ORDER BY id FOR UPDATE)) AND status = ANY ($3::text[])
       RETURNING id`,
      [report.subjectType, report.subjectId, from, decision.status, decision.by, decision.note, decision.now],
    );
    return { count: rows.length, included: rows.some(({ id }) => id === report.id) };
  }
}
