import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../platform/database/database.js';
import { GroupedCalls } from '../../../platform/database/grouped-calls.js';
import type { Subject } from '../../../platform/security/subject.js';

interface ProofRow {
  id: string;
  proved_at: Date;
}

/** Null of a session that has ended. */
interface FoundProof {
  proved_at: Date | null;
}

/** When users last proved themselves in their sessions; what many ask at the same time is one read. */
@Injectable()
export class ProofsRepository {
  private readonly finds = new GroupedCalls<Subject, FoundProof>({
    call: async (subjects) => await this.findAll(subjects),
    alone: async (subject) => (await this.findAll([subject]))[0] ?? { proved_at: null },
  });

  constructor(private readonly database: Database) {}

  /** Null: the session has ended. */
  async find(subject: Subject): Promise<Date | null> {
    return (await this.finds.ask(subject)).proved_at;
  }

  private async findAll(subjects: readonly Subject[]): Promise<FoundProof[]> {
    return await this.database.query<FoundProof>(
      'sessions.proved_at',
      `SELECT coalesce(s.proved_at, s.created_at) AS proved_at
       FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (id, user_id, n)
       LEFT JOIN sessions s ON s.id = asked.id AND s.user_id = asked.user_id AND s.ended_at IS NULL ORDER BY asked.n`,
      [subjects.map(({ sessionId }) => sessionId), subjects.map(({ userId }) => userId)],
    );
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
