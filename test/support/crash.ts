import { setTimeout as sleep } from 'node:timers/promises';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import type { TestGame } from './builders.js';
import type { Client } from './client.js';
import { eventually, type System } from './system.js';

/** What tests that kill processes ask of the servers. */

/** Waits until a statement like this one of a worker waits for a lock, or holds its transaction open (`idle`). */
export async function workerStuckAt(
  system: System,
  statement: string,
  state: 'lock' | 'idle',
): Promise<void> {
  await eventually(async () => {
    const { rowCount } = await system.db.query(
      `SELECT 1 FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'parley-worker' AND query LIKE $1
         AND CASE $2 WHEN 'idle' THEN state = 'idle in transaction' ELSE wait_event_type = 'Lock' END`,
      [statement, state],
    );
    return rowCount !== 0;
  });
}

/**
 * Waits until nothing of what `look` counts is left. A busy machine takes its time: it is given up only when nothing has
 * changed for `stillMs`, longer than the jobs of a killed worker need to be found (two rounds of `stalledInterval`).
 */
export async function untilNothingIsLeft(
  look: () => Promise<Record<string, number>>,
  stillMs = 20_000,
): Promise<void> {
  let [seen, since] = ['', performance.now()];
  for (;;) {
    const left = await look();
    if (Object.values(left).every((count) => count === 0)) return;
    const now = JSON.stringify(left);
    if (now !== seen) [seen, since] = [now, performance.now()];
    else if (performance.now() - since > stillMs) throw new Error(`nothing moves for ${stillMs} ms: ${now}`);
    await sleep(25);
  }
}

/** Holds what `lock` locks until the function it answers is called. */
export async function holding(
  system: System,
  lock: string,
  values: unknown[] = [],
): Promise<() => Promise<void>> {
  const client = await system.db.connect();
  await client.query('BEGIN');
  await client.query(lock, values);
  return async () => {
    await client.query('ROLLBACK');
    client.release();
  };
}

/** How many statements of this database wait for a lock just now, of those with these words. */
export async function lockWaits(system: System, words = ''): Promise<number> {
  const { rows } = await system.db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND strpos(query, $1) > 0`,
    [words],
  );
  return rows[0]!.n;
}

/** The locks of the jobs that workers have in hand. */
export async function jobLocks(system: System): Promise<string[]> {
  return await system.app.get(RedisConnections).queue.keys(`{${system.config.REDIS_PREFIX}:*:lock`);
}

/** Lets the time go by for which the jobs of a killed worker stay locked: all jobs', when no worker is alive. */
export async function expireJobLocks(system: System, locks?: string[]): Promise<void> {
  const keys = locks ?? (await jobLocks(system));
  if (keys.length > 0) await system.app.get(RedisConnections).queue.del(...keys);
}

/** One bet of 10 of each player on each side of each market of the game, straight through `place_bets`. How many. */
export async function betOnEverything(
  system: System,
  players: Client[],
  week: number,
  game: TestGame,
): Promise<number> {
  const sides = [game.moneyline, game.spread, game.total].flatMap(({ id, odds }) =>
    Object.entries(odds).map(([outcome, oddsId]) => ({ id, outcome, oddsId })),
  );
  const { rowCount } = await system.db.query(
    `SELECT b.* FROM (SELECT $1::uuid[] AS users, ARRAY[cardinality($1::uuid[])] AS n) u,
       unnest($3::uuid[], $4::text[], $5::uuid[]) AS s (id, outcome, odds_id),
       place_bets(u.users, ARRAY(SELECT gen_random_uuid()::text FROM unnest(u.users) WHERE s.id IS NOT NULL), array_fill('\\x00'::bytea, u.n),
                  array_fill(s.id, u.n), array_fill(s.outcome, u.n), array_fill(10::bigint, u.n), array_fill(s.odds_id, u.n),
                  array_fill('exact'::text, u.n), array_fill($2::int, u.n), 1, 1000, 10000000, 18, false) b
     WHERE b.refusal IS NULL`,
    [
      players.map(({ userId }) => userId),
      week,
      sides.map(({ id }) => id),
      sides.map(({ outcome }) => outcome),
      sides.map(({ oddsId }) => oddsId),
    ],
  );
  return rowCount ?? 0;
}

/** How many bets are open, and how many events wait. */
export async function leftToDo(
  system: System,
): Promise<{ bets: number; events: number; settlements: number }> {
  const { rows } = await system.db.query(
    `SELECT (SELECT count(*)::int FROM bets WHERE status = 'placed') AS bets, (SELECT count(*)::int FROM outbox) AS events,
            (SELECT count(*)::int FROM settlements WHERE status <> 'done') AS settlements`,
  );
  return rows[0] as { bets: number; events: number; settlements: number };
}
