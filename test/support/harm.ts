import { v7 } from 'uuid';
import type { System } from './system.js';

/** Signs of harm as the night leaves them behind. */
export const MARKER = {
  marker: 'chasingLosses',
  value: 5,
  threshold: 3,
  weight: 3,
  days: 7,
  figures: { chasing: 5, bets: 31 },
};

/** An open flag for each of these people; their ids. */
export async function flagsOfHarm(
  system: System,
  people: readonly { userId: string }[],
  { score = 3, markers = [MARKER] }: { score?: number; markers?: readonly object[] } = {},
): Promise<string[]> {
  const ids = people.map(() => v7());
  await system.db.query(
    `INSERT INTO harm_flags (id, user_id, first_day, day, score, markers, created_at)
     SELECT id, user_id, '2023-10-08', '2023-10-09', $3, $4, '2023-10-10T09:00:00Z'
     FROM unnest($1::uuid[], $2::uuid[]) AS f (id, user_id)`,
    [ids, people.map(({ userId }) => userId), score, JSON.stringify(markers)],
  );
  return ids;
}
