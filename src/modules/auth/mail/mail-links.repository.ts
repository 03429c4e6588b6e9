import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { LinkPurpose } from './mail-links.types.js';

/** Who a link is mailed to. */
export interface LinkAddressee {
  user_id: string;
  purpose: LinkPurpose;
  email: string | null;
  handle: string;
  email_verified_at: Date | null;
}

export interface OpenLink extends LinkAddressee {
  secret_hash: Buffer;
}

@Injectable()
export class MailLinksRepository {
  constructor(private readonly database: Database) {}

  async insert(
    manager: EntityManager,
    link: { id: string; purpose: LinkPurpose; userId: string; now: Date },
  ): Promise<void> {
    await manager.query(
      'INSERT INTO mail_links (id, purpose, user_id, requested_at) VALUES ($1, $2, $3, $4)',
      [link.id, link.purpose, link.userId, link.now],
    );
  }

  /** The same statement whether anybody has the address or not. Index: ux_users_email. */
  async insertForEmail(
    manager: EntityManager,
    link: { id: string; purpose: LinkPurpose; email: string; now: Date },
  ): Promise<void> {
    await manager.query(
      `INSERT INTO mail_links (id, purpose, user_id, requested_at)
       VALUES ($1, $2, (SELECT id FROM users WHERE lower(email) = lower($3)), $4)`,
      [link.id, link.purpose, link.email, link.now],
    );
  }

  /** When the links of the last hour were asked for, oldest first. Index: ix_mail_links_user. */
  async requestedSince(
    manager: EntityManager,
    userId: string,
    purpose: LinkPurpose,
    since: Date,
  ): Promise<Date[]> {
    const rows = await manager.query<{ requested_at: Date }[]>(
      'SELECT requested_at FROM mail_links WHERE user_id = $1 AND purpose = $2 AND requested_at > $3 ORDER BY 1',
      [userId, purpose, since],
    );
    return rows.map((row) => row.requested_at);
  }

  /**
   * Whom an unsent link is for, with their row locked, so that the links of one account are counted one after the other; null
   * when it is sent, of no use any more, a day old or nobody's.
   */
  async lockUnsent(manager: EntityManager, id: string, now: Date): Promise<LinkAddressee | null> {
    const [row] = await manager.query<LinkAddressee[]>(
      `SELECT l.user_id, l.purpose, u.email, u.handle, u.email_verified_at
       FROM mail_links l JOIN users u ON u.id = l.user_id
       WHERE l.id = $1 AND l.sent_at IS NULL AND l.used_at IS NULL AND l.requested_at > $2::timestamptz - interval '1 day'
       FOR NO KEY UPDATE OF u`,
      [id, now],
    );
    return row ?? null;
  }

  /** How many other links of this kind the account has been sent since. Index: ix_mail_links_user. */
  async countPrepared(
    manager: EntityManager,
    link: { id: string; userId: string; purpose: LinkPurpose; since: Date },
  ): Promise<number> {
    const [row] = await manager.query<{ n: number }[]>(
      `SELECT count(*)::int AS n FROM mail_links
       WHERE user_id = $2 AND purpose = $3 AND requested_at > $4 AND id <> $1 AND secret_hash IS NOT NULL`,
      [link.id, link.userId, link.purpose, link.since],
    );
    return row?.n ?? 0;
  }

  async prepare(manager: EntityManager, id: string, secretHash: Buffer, expiresAt: Date): Promise<void> {
    await manager.query('UPDATE mail_links SET secret_hash = $2, expires_at = $3 WHERE id = $1', [
      id,
      secretHash,
      expiresAt,
    ]);
  }

  async markSent(id: string, now: Date): Promise<void> {
    await this.database.query('mail_links.sent', 'UPDATE mail_links SET sent_at = $2 WHERE id = $1', [
      id,
      now,
    ]);
  }

  /** A link that can be used now, with its user. */
  async findOpen(id: string, purpose: LinkPurpose, now: Date): Promise<OpenLink | null> {
    const [row] = await this.database.query<OpenLink>(
      'mail_links.open',
      `SELECT l.user_id, l.purpose, l.secret_hash, u.email, u.handle, u.email_verified_at
       FROM mail_links l JOIN users u ON u.id = l.user_id
       WHERE l.id = $1 AND l.purpose = $2 AND l.used_at IS NULL AND l.expires_at > $3`,
      [id, purpose, now],
    );
    return row ?? null;
  }

  /** One use of an account's links at a time, and none while one is being made. */
  async lockUser(manager: EntityManager, userId: string): Promise<void> {
    await manager.query('SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
  }

  /**
   * Ends every unused link of this kind that the account has, those that wait to be sent too; the ids of those that could
   * have been used. Index: ix_mail_links_user.
   */
  async endAll(manager: EntityManager, userId: string, purpose: LinkPurpose, now: Date): Promise<string[]> {
    const [rows] = await manager.query<[{ id: string; open: boolean | null }[], number]>(
      `UPDATE mail_links SET used_at = $3 WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL
       RETURNING id, expires_at > $3 AS open`,
      [userId, purpose, now],
    );
    return rows.filter((row) => row.open === true).map((row) => row.id);
  }

  /** Forgets at most `limit` links asked for more than a week ago; how many. Index: ix_mail_links_cleanup. */
  async forget(now: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      'mail_links.forget',
      `DELETE FROM mail_links WHERE id = ANY (ARRAY(
         SELECT id FROM mail_links WHERE requested_at < $2::timestamptz - interval '7 days' LIMIT $1))
       RETURNING 1`,
      [limit, now],
    );
    return rows.length;
  }
}
