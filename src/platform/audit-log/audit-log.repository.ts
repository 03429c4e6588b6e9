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

export interface AuditFilter {
  actorId: string | null;
  subjectId: string | null;
  action: string | null;
  /** From this instant on, until before that one. */
  from: Date | null;
  to: Date | null;
  /** After the row with these `micros` and this id, in the order of the list. */
  after: readonly string[] | null;
}

@Injectable()
export class AuditLogRepository {
  constructor(private readonly database: Database) {}

  /**
   * Newest first. Only the conditions that are asked for, so that each combination finds its index: ix_audit_log_actor,
   * ix_audit_log_subject, ix_audit_log_action, ix_audit_log_at.
   */
  async list(filter: AuditFilter, limit: number): Promise<AuditRow[]> {
    const values: unknown[] = [limit];
    const bind = (value: unknown) => `$${values.push(value)}`;
    const all: Record<string, string> = {};
    if (filter.actorId !== null) all['actor'] = `actor_id = ${bind(filter.actorId)}`;
    if (filter.subjectId !== null) all['subject'] = `subject_id = ${bind(filter.subjectId)}`;
    if (filter.action !== null) all['action'] = `action = ${bind(filter.action)}`;
    if (filter.from !== null) all['from'] = `at >= ${bind(filter.from)}`;
    if (filter.to !== null) all['to'] = `at < ${bind(filter.to)}`;
    if (filter.after !== null) {
      const [micros, id] = filter.after;
      const at = `timestamptz 'epoch' + ${bind(micros)}::bigint * interval '1 microsecond'`;
      all['after'] = `(at, id) < (${at}, ${bind(id)}::uuid)`;
    }
    return await this.database.query<AuditRow>(
      ['audit_log.list', ...Object.keys(all)].join('.'),
      `SELECT id, at, (extract(epoch FROM at) * 1000000)::bigint AS micros, actor_id, action, subject_type, subject_id,
         details, request_id
       FROM audit_log WHERE ${Object.values(all).join(' AND ') || 'true'} ORDER BY at DESC, id DESC LIMIT $1`,
      values,
    );
  }
}
