import type { Client } from './client.js';
import type { System } from './system.js';

/** Puts players into a pool of a week that is drawn already, making the pool where it is missing. */
export async function joinPool(
  system: System,
  week: number,
  players: readonly Client[],
  poolNumber = 1,
): Promise<void> {
  await system.db.query(
    `WITH p AS (
       INSERT INTO pools (id, week_id, number, name, size) VALUES (gen_random_uuid(), $1, $3, 'W', cardinality($2::uuid[]))
       ON CONFLICT (week_id, number) DO UPDATE SET size = pools.size + cardinality($2::uuid[]) RETURNING id),
     drawn AS (
       SELECT p.id AS pool_id, u.user_id, u.n + (SELECT count(*) FROM week_entries WHERE week_id = $1) AS position
       FROM p, unnest($2::uuid[]) WITH ORDINALITY AS u (user_id, n)),
     passed AS (
       INSERT INTO week_passes (user_id, week_id, source, created_at)
       SELECT user_id, $1, 'admin', now() FROM drawn ON CONFLICT DO NOTHING),
     entered AS (
       INSERT INTO week_entries (user_id, week_id, pool_id, draw_position)
       SELECT user_id, $1, pool_id, position FROM drawn)
     INSERT INTO pool_members (pool_id, user_id, week_id, draw_position, balance, starting)
     SELECT pool_id, user_id, $1, position, 1000, 1000 FROM drawn`,
    [week, players.map(({ userId }) => userId), poolNumber],
  );
}
