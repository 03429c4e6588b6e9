import 'reflect-metadata';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { v7 } from 'uuid';
import { floors } from '../src/app.module.js';
import { GroupingService } from '../src/modules/pools/grouping.service.js';
import { weekBounds, weekIdAt } from '../src/modules/pools/domain/calendar.js';
import type { AppConfig } from '../src/platform/config/app-config.js';
import { loadAppConfig } from '../src/platform/config/load-config.js';
import { type Figure, limitFigure, ratioFigure, say } from './support/figures.js';
import { type Bench, startBench } from './support/services.js';

@Module({})
class GroupingBench {
  static with(config: AppConfig): DynamicModule {
    return { module: GroupingBench, imports: floors(config, 'parley-bench') };
  }
}

const PLAYERS = 100_000;
const POOL = 100;
const ROUNDS = 3;

/** The draw of a large week, beside the bare inserts of the same rows. */
export async function run(): Promise<Figure[]> {
  const bench = await startBench('parley_bench_grouping');
  const config = loadAppConfig({
    NODE_ENV: 'production',
    DATABASE_URL: bench.databaseUrl,
    REDIS_URL: bench.redisUrl,
    REDIS_PREFIX: 'parley-bench-grouping',
    ...bench.secrets,
    LOG_LEVEL: 'warn',
  });
  const app = await NestFactory.createApplicationContext(GroupingBench.with(config), { logger: ['error'] });
  try {
    const weekId = weekIdAt(new Date());
    await seedPasses(bench, weekId);
    const rounds: { value: number; floor: number }[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const floor = await bareDraw(bench, weekId);
      await undo(bench, weekId);
      const began = performance.now();
      await app.get(GroupingService).group(weekId, null);
      const seconds = (performance.now() - began) / 1000;
      await undo(bench, weekId);
      if (round === 0) continue; // the warm-up
      rounds.push({ value: PLAYERS / seconds, floor: PLAYERS / floor });
      say(`round ${round}: floor ${floor.toFixed(2)} s, draw ${seconds.toFixed(2)} s`);
    }
    return [
      ratioFigure({ bench: 'grouping', metric: 'players drawn', unit: 'players/s' }, rounds, 0.6),
      limitFigure(
        { bench: 'grouping', metric: `draw of ${PLAYERS} players`, unit: 's' },
        rounds.map(({ value }) => PLAYERS / value),
        5,
      ),
    ];
  } finally {
    await app.close();
    await bench.stop();
  }
}

async function seedPasses({ db }: Bench, weekId: number): Promise<void> {
  const { startsAt, endsAt } = weekBounds(weekId);
  await db.query(
    "INSERT INTO weeks (id, gate, starts_at, ends_at, seed_hash, seed) VALUES ($1, $2, $3, $4, '', $5)",
    [weekId, v7(), startsAt, endsAt, Buffer.alloc(32, 7)],
  );
  const ids = Array.from({ length: PLAYERS }, () => v7());
  await db.query(
    `INSERT INTO users (id, email, handle, display_name, birth_date, terms_version, terms_accepted_at, created_at)
     SELECT id, n || '@example.com', 'player' || n, 'player' || n, '1990-01-01', '2026-11', now(), now()
     FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, n)`,
    [ids],
  );
  await db.query(
    "INSERT INTO week_passes (user_id, week_id, source, created_at) SELECT unnest($1::uuid[]), $2, 'admin', now()",
    [ids, weekId],
  );
  await db.query('VACUUM ANALYZE');
}

/** Seconds that the same rows take as bare INSERT … SELECT, in one transaction. */
async function bareDraw({ db }: Bench, weekId: number): Promise<number> {
  const client = await db.connect();
  try {
    const began = performance.now();
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO pools (id, week_id, number, name, size)
       SELECT gen_random_uuid(), $1, n, 'P' || n, $2 FROM generate_series(1, $3::int) AS n`,
      [weekId, POOL, PLAYERS / POOL],
    );
    await client.query(
      `WITH placed AS MATERIALIZED (
         SELECT w.user_id, w.n, p.id AS pool_id
         FROM (SELECT user_id, row_number() OVER (ORDER BY user_id) AS n FROM week_passes WHERE week_id = $1) w
         JOIN pools p ON p.week_id = $1 AND p.number = 1 + (w.n - 1) / $2),
       entered AS (
         INSERT INTO week_entries (user_id, week_id, pool_id, draw_position) SELECT user_id, $1, pool_id, n FROM placed)
       INSERT INTO pool_members (pool_id, user_id, week_id, draw_position, balance, starting)
       SELECT pool_id, user_id, $1, n, 1000, 1000 FROM placed`,
      [weekId, POOL],
    );
    await client.query('COMMIT');
    return (performance.now() - began) / 1000;
  } finally {
    client.release();
  }
}

async function undo({ db }: Bench, weekId: number): Promise<void> {
  await db.query('TRUNCATE pool_members, week_entries, outbox');
  await db.query('DELETE FROM pools');
  await db.query("UPDATE weeks SET status = 'open', grouped_at = NULL, entries_hash = NULL WHERE id = $1", [
    weekId,
  ]);
  await db.query('VACUUM pools, weeks');
  await db.query('CHECKPOINT');
}
