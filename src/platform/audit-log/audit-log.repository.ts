import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';

export interface AuditRow {
  id: string;
  at: Date;
  /** Microseconds since 1970, all that Postgres knows of `at`. */
  micros: string;
  actor_id: string | null;
  action: string;
  subject_type: string;
  subject_id: string;
  details: Record<string, unknown>;
  request_id: string | null;
}

/** Null where nothing is asked for. */
export interface AuditFilter {
  readonly actorId: string | null;
  readonly subjectType: string | null;
  readonly subjectId: string | null;
  readonly action: string | null;
  readonly requestId: string | null;
  /** From this instant on, until before that one. */
  readonly from: Date | null;
  readonly to: Date | null;
}

/** The place of an entry in the order of the list. */
export type AuditKey = Pick<AuditRow, 'micros' | 'id'>;

@Injectable()
export class AuditLogRepository {
  constructor(private readonly database: Database) {}

  /** From the newest on, behind a key. */
  async newest(filter: AuditFilter, after: AuditKey | null, limit: number): Promise<AuditRow[]> {
    return await this.list(filter, 'DESC', limit, after && { after: [after, '<'] });
  }

  /** From the oldest on, behind a key and up to another. */
  async oldest(
    filter: AuditFilter,
    after: AuditKey | null,
    upTo: AuditKey,
    limit: number,
  ): Promise<AuditRow[]> {
    return await this.list(filter, 'ASC', limit, {
      upTo: [upTo, '<='],
      ...(after && { after: [after, '>'] }),
    });
  }

  /**
   * Only the conditions that are asked for, so that each combination finds its index: ix_audit_log_actor, ix_audit_log_subject,
   * ix_audit_log_subject_type, ix_audit_log_action, ix_audit_log_request, ix_audit_log_at.
   */
  private async list(
    filter: AuditFilter,
    order: 'ASC' | 'DESC',
    limit: number,
    bounds: Record<string, [AuditKey, '<' | '<=' | '>']> | null,
  ): Promise<AuditRow[]> {
    const values: unknown[] = [limit];
    const bind = (value: unknown) => `$${values.push(value)}`;
    const all: Record<string, string> = {};
    if (filter.actorId !== null) all['actor'] = `actor_id = ${bind(filter.actorId)}`;
    if (filter.subjectType !== null) all['type'] = `subject_type = ${bind(filter.subjectType)}`;
    if (filter.subjectId !== null) all['subject'] = `subject_id = ${bind(filter.subjectId)}`;
    if (filter.action !== null) all['action'] = `action = ${bind(filter.action)}`;
    if (filter.requestId !== null) all['request'] = `request_id = ${bind(filter.requestId)}`;
    if (filter.from !== null) all['from'] = `at >= ${bind(filter.from)}`;
    if (filter.to !== null) all['to'] = `at < ${bind(filter.to)}`;
    for (const [name, [{ micros, id }, relation]] of Object.entries(bounds ?? {})) {
      const at = `timestamptz 'epoch' + ${bind(micros)}::bigint * interval '1 microsecond'`;
      all[name] = `(at, id) ${relation} (${at}, ${bind(id)}::uuid)`;
    }
    return await this.database.query<AuditRow>(
      ['audit_log', order, ...Object.keys(all)].join('.'),
      `SELECT id, at, (extract(epoch FROM at) * 1000000)::bigint AS micros, actor_id, action, subject_type, subject_id,
         details, request_id
       FROM audit_log WHERE ${Object.values(all).join(' AND ') || 'true'} ORDER BY at ${order}, id ${order} LIMIT $1`,
      values,
    );
  }
}
