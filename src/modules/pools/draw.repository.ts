import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';

export interface NewPool {
  id: string;
  number: number;
  name: string;
  size: number;
}

/** Three lists of one length. */
export interface DrawnPlayers {
  userIds: readonly string[];
  positions: Int32Array;
  /** Numbers of their pools. */
  pools: Int32Array;
}

export interface DrawEntryRow {
  user_id: string;
  draw_position: number;
  pool: string;
}

const ENTRANTS = `(SELECT string_agg(user_id::text, E'\\n' ORDER BY user_id) FROM week_passes
  WHERE week_id = $1 AND user_id NOT IN (SELECT user_id FROM compliance_barred($2, $3)))`;

/** The draw's SQL: who is in, and writing who is where. */
@Injectable()
export class DrawRepository {
  constructor(private readonly database: Database) {}

  /**
   * Everyone with a pass for the week whom nothing bars from staking, by id. A hundred thousand travel as one value.
   * Index: ix_week_passes_week.
   */
  async entrants(manager: EntityManager, weekId: number, at: Date, minimumAge: number): Promise<string[]> {
    const [row] = await manager.query<{ ids: string | null }[]>(`SELECT ${ENTRANTS} AS ids`, [
      weekId,
      at,
      minimumAge,
    ]);
    return row?.ids?.split('\n') ?? [];
  }

  /** `entriesHash` of the same list, without its travelling. */
  async entrantsHash(manager: EntityManager, weekId: number, at: Date, minimumAge: number): Promise<string> {
    const [row] = await manager.query<{ hash: string }[]>(
      `SELECT encode(sha256(convert_to(coalesce(${ENTRANTS}, ''), 'UTF8')), 'hex') AS hash`,
      [weekId, at, minimumAge],
    );
    return row?.hash ?? '';
  }

  /** Gives the pass of a locked week to everyone whose subscription is paid for it. Index: ix_week_purchases_subscription. */
  async enterSubscribers(manager: EntityManager, weekId: number): Promise<void> {
    await manager.query(
      `INSERT INTO week_passes (user_id, week_id, source, created_at)
       SELECT user_id, $1, 'subscription', min(created_at) FROM week_purchases
       WHERE purpose = 'subscription' AND refused IS NULL AND taken_back_at IS NULL
         AND week_id <= $1 AND last_week_id >= $1
       GROUP BY user_id ORDER BY user_id ON CONFLICT DO NOTHING`,
      [weekId],
    );
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

  /**
   * Writes pools, entries and members of a whole draw: of each player, by user id, the place in the drawn order (from 1) and
   * the number of the pool.
   */
  async insertDraw(
    manager: EntityManager,
    draw: { weekId: number; pools: NewPool[]; players: DrawnPlayers; credits: number },
  ): Promise<void> {
    const { weekId, pools, players, credits } = draw;
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
      `WITH placed AS MATERIALIZED (
         SELECT p.id AS pool_id, d.user_id, d.position
         FROM ROWS FROM (unnest($2::uuid[]), unnest($3::int[]), unnest($4::int[])) AS d (user_id, position, number)
         JOIN pools p ON p.week_id = $1 AND p.number = d.number),
       entered AS (
         INSERT INTO week_entries (user_id, week_id, pool_id, draw_position)
         SELECT user_id, $1, pool_id, position FROM placed ORDER BY user_id)
       INSERT INTO pool_members (pool_id, user_id, week_id, draw_position, balance, starting)
       SELECT pool_id, user_id, $1, position, $5, $5 FROM placed ORDER BY pool_id, user_id`,
      [weekId, arrayText(players.userIds), arrayText(players.positions), arrayText(players.pools), credits],
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

/** An array as Postgres writes one, of values that need no quotes: a hundred thousand are one text to the driver. */
function arrayText(values: readonly string[] | Int32Array): string {
  return `{${values.join(',')}}`;
}
