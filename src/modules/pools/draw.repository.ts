import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

export interface NewPool {
  id: string;
  number: number;
  name: string;
  size: number;
}

export interface DrawEntryRow {
  user_id: string;
  draw_position: number;
  pool: string;
}

/** The draw's SQL: who is in, and writing who is where. */
@Injectable()
export class DrawRepository {
  constructor(private readonly database: Database) {}

  /**
   * Everyone with a pass for the week whom nothing bars from staking, by id. A hundred thousand travel as one value.
   * Index: ix_week_passes_week.
   */
  async entrants(manager: EntityManager, weekId: number, at: Date, minimumAge: number): Promise<string[]> {
    const [row] = await manager.query<{ ids: string | null }[]>(
      `SELECT string_agg(user_id::text, E'\\n' ORDER BY user_id) AS ids FROM week_passes
       WHERE week_id = $1 AND user_id NOT IN (SELECT user_id FROM compliance_barred($2, $3))`,
      [weekId, at, minimumAge],
    );
    return row?.ids?.split('\n') ?? [];
  }

  /** Makes passes of one week passes of another; those of users who hold one there already stay. Both weeks are locked. */
  async movePasses(
    manager: EntityManager,
    from: number,
    to: number,
  ): Promise<{ moved: number; kept: number }> {
    const [row] = await manager.query<{ moved: number; kept: number }[]>(
      `WITH held AS MATERIALIZED (
         SELECT user_id, source, granted_by, created_at FROM week_passes WHERE week_id = $1),
       moved AS (
         INSERT INTO week_passes (user_id, week_id, source, granted_by, created_at)
         SELECT user_id, $2, source, granted_by, created_at FROM held ORDER BY user_id
         ON CONFLICT DO NOTHING RETURNING user_id),
       gone AS (DELETE FROM week_passes p USING moved WHERE p.week_id = $1 AND p.user_id = moved.user_id)
       SELECT (SELECT count(*) FROM moved)::int AS moved,
              ((SELECT count(*) FROM held) - (SELECT count(*) FROM moved))::int AS kept`,
      [from, to],
    );
    return row ?? { moved: 0, kept: 0 };
  }

  /** Writes pools, entries and members of a whole draw: `drawn` is the order, pools take it up one after the other. */
  async insertDraw(
    manager: EntityManager,
    draw: { weekId: number; pools: NewPool[]; drawn: readonly string[]; credits: number },
  ): Promise<void> {
    const { weekId, pools, drawn, credits } = draw;
    await manager.query(
      `INSERT INTO pools (id, week_id, number, name, size)
       SELECT id, $1, number, name, size FROM unnest($2::uuid[], $3::int[], $4::text[], $5::int[])
         AS p (id, number, name, size)`,
      [
        weekId,
        pools.map(({ id }) => id),
        pools.map(({ number }) => number),
        pools.map(({ name }) => name),
        pools.map(({ size }) => size),
      ],
    );
    // Rows go in by the order of their keys, so that the indexes grow at their edge; the sorts fit in memory.
    await manager.query("SET LOCAL work_mem = '64MB'");
    await manager.query(
      `WITH cut AS (
         SELECT id AS pool_id, sum(size) OVER (ORDER BY number) - size AS before, size FROM pools WHERE week_id = $1),
       placed AS MATERIALIZED (
         SELECT cut.pool_id, d.user_id, d.position
         FROM cut CROSS JOIN LATERAL generate_series(cut.before + 1, cut.before + cut.size) AS s (position)
         JOIN unnest(string_to_array($2, E'\\n')::uuid[]) WITH ORDINALITY AS d (user_id, position) ON d.position = s.position),
       entered AS (
         INSERT INTO week_entries (user_id, week_id, pool_id, draw_position)
         SELECT user_id, $1, pool_id, position FROM placed ORDER BY user_id)
       INSERT INTO pool_members (pool_id, user_id, week_id, draw_position, balance, starting)
       SELECT pool_id, user_id, $1, position, $3, $3 FROM placed ORDER BY pool_id, user_id`,
      [weekId, drawn.join('\n'), credits],
    );
  }

  /** Entries by user id, the order in which they were hashed. Index: primary key of week_entries. */
  async entriesPage(weekId: number, after: string | null, limit: number): Promise<DrawEntryRow[]> {
    return await this.database.query<DrawEntryRow>(
      'draw.entries',
      `SELECT e.user_id, e.draw_position, p.name AS pool FROM week_entries e JOIN pools p ON p.id = e.pool_id
       WHERE e.week_id = $1 AND ($2::uuid IS NULL OR e.user_id > $2)
       ORDER BY e.user_id LIMIT $3`,
      [weekId, after, limit],
    );
  }
}
