import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { v7 } from 'uuid';
import { type Figure, limitFigure, ratioFigure, say } from './support/figures.js';
import { seedBets, seedWorld, type World } from './support/seed.js';
import { type Bench, type Running, startBench } from './support/services.js';

const BETS = 1_000_000;
const POOLS = 1_000;
const GAMES = 100; // three markets each
const WORKERS = 2;
const ROUNDS = 3;

/** A week's results graded by two workers, beside the bare SQL that changes the same rows on two connections. */
export async function run(): Promise<Figure[]> {
  const bench = await startBench('parley_bench_settlement');
  try {
    const world = await seedWorld(bench.db, { members: POOLS * 100, pools: POOLS, games: GAMES });
    await seedBets(bench.db, world, BETS);
    await bench.db.query(
      `UPDATE pool_members m SET bets_placed = b.n, bets_open = b.n
       FROM (SELECT pool_id, user_id, count(*) AS n FROM bets GROUP BY 1, 2) b
       WHERE m.pool_id = b.pool_id AND m.user_id = b.user_id`,
    );
    await bench.db.query('CREATE TABLE kept_members AS SELECT * FROM pool_members');
    const workers: Running[] = [];
    for (let n = 0; n < WORKERS; n += 1)
      workers.push(await bench.start('worker', { LOG_LEVEL: 'warn', DATABASE_POOL_SIZE: '8' }));
    const rounds: { value: number; floor: number }[] = [];
    const memory: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      await reset(bench);
      const floor = await bareSettlement(bench, world);
      await reset(bench);
      const seconds = await settle(bench, world, round + 1);
      memory.push(...workers.map(residentMegabytes));
      say(
        `${round === 0 ? 'warm-up' : `round ${round}`}: floor ${floor.toFixed(1)} s, settlement ${seconds.toFixed(1)} s`,
      );
      if (round > 0) rounds.push({ value: BETS / seconds, floor: BETS / floor });
    }
    return [
      ratioFigure({ bench: 'settlement', metric: 'bets graded', unit: 'bets/s' }, rounds, 0.7),
      limitFigure(
        { bench: 'settlement', metric: "worker's memory at most", unit: 'MB' },
        [Math.max(...memory)],
        300,
      ),
    ];
  } finally {
    await bench.stop();
  }
}

/** Results of every game at once, through the outbox as the product writes them; seconds until all are settled. */
async function settle({ db }: Bench, world: World, version: number): Promise<number> {
  await db.query(
    "UPDATE games SET status = 'final', home_score = 24, away_score = 20, result_version = $1, starts_at = now() - interval '1 minute'",
    [version],
  );
  await db.query("UPDATE markets SET status = 'closed'");
  const began = performance.now();
  await db.query(
    `INSERT INTO outbox (id, topic, payload)
     SELECT e.id, 'sports.game-result-recorded', jsonb_build_object('gameId', e.game, 'version', $3::int)
     FROM unnest($1::uuid[], $2::uuid[]) AS e (id, game)`,
    [world.games.map(() => v7()), world.games.map((game) => game.id), version],
  );
  for (;;) {
    const { rows } = await db.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM settlements WHERE result_version = $1 AND status = 'done'",
      [version],
    );
    if (rows[0]?.n === GAMES) break;
    if (performance.now() - began > 300_000) throw new Error('not settled within five minutes');
    await sleep(50);
  }
  const seconds = (performance.now() - began) / 1000;
  const { rows } = await db.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM bets WHERE status = 'placed'",
  );
  if (rows[0]?.n !== 0) throw new Error(`${rows[0]?.n} bets were left open`);
  return seconds;
}

/** Seconds for the same changes: each game's bets and members, in two halves of the pools side by side. */
async function bareSettlement({ databaseUrl }: Bench, world: World): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: WORKERS });
  const half = Math.ceil(world.poolIds.length / WORKERS);
  const began = performance.now();
  await Promise.all(
    Array.from({ length: WORKERS }, async (_, part) => {
      const pools = world.poolIds.slice(part * half, (part + 1) * half);
      for (const game of world.games)
        await pool.query({
          name: 'floor',
          text: FLOOR,
          values: [world.weekId, pools, game.markets.map((market) => market.id), v7()],
        });
    }),
  );
  await pool.end();
  return (performance.now() - began) / 1000;
}

const FLOOR = `
WITH graded AS (
  UPDATE bets SET status = 'won', payout = stake * price_num / price_den, settlement_id = $4, settled_at = now()
  WHERE week_id = $1 AND pool_id = ANY ($2) AND market_id = ANY ($3) AND status = 'placed'
  RETURNING pool_id, user_id, payout),
sums AS (SELECT pool_id, user_id, sum(payout)::bigint AS delta, count(*)::int AS closed FROM graded GROUP BY 1, 2)
UPDATE pool_members m SET balance = balance + delta, paid_out = paid_out + delta, bets_open = bets_open - closed
FROM sums s WHERE m.pool_id = s.pool_id AND m.user_id = s.user_id`;

/** Puts bets and members back as they were, in the same physical shape each time. */
async function reset({ db }: Bench): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'bets'::regclass",
  );
  // A result without its settlement is one whose job was lost: the workers would settle it again beside the floor.
  await db.query(
    "UPDATE games SET status = 'scheduled', home_score = NULL, away_score = NULL, result_version = 0",
  );
  await db.query('DELETE FROM settlement_chunks');
  await db.query('DELETE FROM settlements');
  await db.query(
    "UPDATE bets SET status = 'placed', payout = NULL, settlement_id = NULL, settled_at = NULL, reason = NULL WHERE status <> 'placed'",
  );
  await db.query('TRUNCATE pool_members');
  await db.query('INSERT INTO pool_members SELECT * FROM kept_members');
  for (const { name } of rows) await db.query(`VACUUM FULL ${name}`);
  await db.query('VACUUM ANALYZE');
  await db.query('CHECKPOINT');
}

function residentMegabytes({ pid }: Running): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
