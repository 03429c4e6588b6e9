import type { Builders } from './builders.js';
import type { Client } from './client.js';
import type { System } from './system.js';

export interface Person {
  client: Client;
  id: string;
  handle: string;
}

/** Players, with their handles. */
export async function people(system: System, make: Builders, count: number): Promise<Person[]> {
  const clients = await make.players(count);
  const { rows } = await system.db.query<{ id: string; handle: string }>(
    'SELECT id, handle FROM users WHERE id = ANY ($1)',
    [clients.map(({ userId }) => userId)],
  );
  const handles = new Map(rows.map(({ id, handle }) => [id, handle]));
  return clients.map((client) => ({
    client,
    id: client.userId,
    handle: handles.get(client.userId) ?? '',
  }));
}

/** What is wrong between people, by SQL: counts that are not those of the follows, and ties over a block. Always none. */
export async function brokenTies(system: System): Promise<unknown[]> {
  const { rows } = await system.db.query(`
    SELECT 'count' AS what, c.user_id::text AS who FROM social_counts c
    WHERE c.followers <> (SELECT count(*) FROM follows f WHERE f.followee_id = c.user_id)
       OR c.following <> (SELECT count(*) FROM follows f WHERE f.follower_id = c.user_id)
    UNION ALL
    SELECT 'follow over a block', follower_id || ' ' || followee_id FROM follows
    WHERE users_blocked(follower_id, followee_id)
    UNION ALL
    SELECT 'contact over a block', id::text FROM contacts
    WHERE users_blocked(low_id, high_id) AND status <> 'declined'`);
  return rows;
}
