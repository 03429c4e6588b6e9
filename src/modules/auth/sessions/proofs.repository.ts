import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import type { Subject } from '../../../platform/security/subject.js';

interface ProofRow {
  id: string;
  proved_at: Date;
}

/** When users last proved themselves in their sessions. */
@Injectable()
export class ProofsRepository {
  constructor(private readonly database: Database) {}

  /** Null: the session has ended. */
  async find({ userId, sessionId }: Subject): Promise<Date | null> {
    const [row] = await this.database.query<ProofRow>(
      'sessions.proved_at',
      `SELECT id, coalesce(proved_at, created_at) AS proved_at FROM sessions
       WHERE id = $1 AND user_id = $2 AND ended_at IS NULL`,
      [sessionId, userId],
    );
    return row?.proved_at ?? null;
  }

  /**
   * The same, once all live sessions of the user are locked, in the order of their ids: whoever holds these may end the
   * others, or mark this one, in whatever order. Index: ix_sessions_user_live.
   */
  async lock(manager: EntityManager, { userId, sessionId }: Subject): Promise<Date | null> {
    const rows = await manager.query<ProofRow[]>(
      `SELECT id, coalesce(proved_at, created_at) AS proved_at FROM sessions
       WHERE user_id = $1 AND ended_at IS NULL ORDER BY id FOR NO KEY UPDATE`,
      [userId],
    );
    return rows.find(({ id }) => id === sessionId)?.proved_at ?? null;
  }
}
