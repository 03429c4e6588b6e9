import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Role } from '../../../platform/security/subject.js';
import type { Ban, ListedUser, Standing, UsersFilter } from './standing.types.js';

const STANDING =
  'id, role, status, banned_until AS "bannedUntil", ban_reason AS "banReason", long_ban AS "longBan"';
const LISTED = `${STANDING}, email, handle, display_name AS "displayName", created_at AS "createdAt"`;

@Injectable()
export class StandingRepository {
  constructor(private readonly database: Database) {}

  /** Waits for the stakes that are being placed by this user and holds off the ones to come until the commit. */
  async shutGate(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('SELECT parley_gate_shut($1)', [userId]);
  }

  /** Locks these users in the order of their ids. */
  async lock(manager: EntityManager, ids: readonly string[]): Promise<Standing[]> {
    return await manager.query<Standing[]>(
      `SELECT ${STANDING} FROM users WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE`,
      [ids],
    );
  }

  async setRole(manager: EntityManager, id: string, role: Role): Promise<void> {
    await manager.query('UPDATE users SET role = $2 WHERE id = $1', [id, role]);
  }

  async ban(manager: EntityManager, id: string, { until, long, reason }: Ban): Promise<void> {
    await manager.query(
      `UPDATE users SET status = 'banned', banned_until = $2, ban_reason = $3, long_ban = $4
       WHERE id = $1 AND status <> 'erased'`,
      [id, until, reason, long],
    );
  }

  async lift(manager: EntityManager, id: string): Promise<void> {
    await manager.query(
      `UPDATE users SET status = 'active', banned_until = NULL, ban_reason = NULL, long_ban = false
       WHERE id = $1 AND status = 'banned'`,
      [id],
    );
  }

  /** Lifts the ban if it has ended by then; whether it did. */
  async liftEnded(manager: EntityManager, id: string, now: Date): Promise<boolean> {
    const [rows] = await manager.query<[unknown[], number]>(
      `UPDATE users SET status = 'active', banned_until = NULL, ban_reason = NULL, long_ban = false
       WHERE id = $1 AND status = 'banned' AND banned_until <= $2 RETURNING 1`,
      [id, now],
    );
    return rows.length > 0;
  }

  async find(id: string): Promise<ListedUser | null> {
    const [row] = await this.database.query<ListedUser>(
      'users.standing',
      `SELECT ${LISTED} FROM users WHERE id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** Newest first. Indexes: primary key, ix_users_role, ix_users_status, ix_profiles_similar, ux_users_email. */
  async list(filter: UsersFilter, offset: number, limit: number): Promise<ListedUser[]> {
    const { name, where, values } = conditionsOf(filter);
    const [skipped, taken] = [`$${values.length + 1}`, `$${values.length + 2}`];
    return await this.database.query<ListedUser>(
      `users.list${name}`,
      `SELECT ${LISTED} FROM users WHERE ${where} ORDER BY id DESC OFFSET ${skipped} LIMIT ${taken}`,
      [...values, offset, limit],
    );
  }

  async count(filter: UsersFilter): Promise<number> {
    const { name, where, values } = conditionsOf(filter);
    const [row] = await this.database.query<{ total: number }>(
      `users.count${name}`,
      `SELECT count(*)::int AS total FROM users WHERE ${where}`,
      values,
    );
    return row?.total ?? 0;
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The conditions that are asked for and no others, so that each combination is planned for itself; named after them. */
function conditionsOf({ text, byEmail, status, role }: UsersFilter): {
  name: string;
  where: string;
  values: string[];
} {
  const values: string[] = [];
  const bind = (value: string) => `$${values.push(value)}`;
  const all: Record<string, string> = {};
  if (status !== null) all['status'] = `status = ${bind(status)}`;
  if (role !== null) all['role'] = `role = ${bind(role)}`;
  if (text !== null) {
    const like = bind(text.replace(/[\\%_]/g, '\\$&'));
    const any: Record<string, string> = {
      text: `SELECT user_id FROM profiles WHERE handle_key || ' ' || name_key LIKE '%' || users_fold(${like}) || '%'`,
    };
    if (byEmail) any['email'] = `SELECT id FROM users WHERE lower(email) = lower(${bind(text)})`;
    if (UUID.test(text)) any['id'] = `SELECT ${bind(text)}::uuid`;
    all[Object.keys(any).join('|')] = `id IN (${Object.values(any).join(' UNION ')})`;
  }
  return {
    name: ['', ...Object.keys(all)].join('.'),
    where: Object.values(all).join(' AND ') || 'true',
    values,
  };
}
