import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { v7 } from 'uuid';
import { type Figure, limitFigure, plainFigure, ratioFigure, say } from './support/figures.js';
import { keepBets, keepParlays, layBets, seedWorld, type World } from './support/seed.js';
import { type Bench, type Running, startBench } from './support/services.js';

const BETS = 1_000_000;
const POOLS = 1_000;
const GAMES = 100; // three markets each
/** Each of these many is held against as many connections of its own. */
const WORKERS = [1, 2, 4];
const ROUNDS = 3;
/** A worker may not grow with what it grades. */
const FEW = 100_000;
const MANY = 5_000_000;
const MEGABYTES = 300;
/** One bet in twenty. */
const PARLAYS = BETS / 20;

/**
 * A week's results graded by workers, beside the bare SQL that changes the same rows on as many connections; the memory of
 * the workers by the number of bets (the largest only when `full`), and what parlays among the bets cost.
 */
export async function run({ full }: { full: boolean }): Promise<Figure[]> {
  const bench = await startBench('parley_bench_settlement');
  try {
    const world = await seedWorld(bench.db, { members: POOLS * 100, pools: POOLS, games: GAMES });
    const settlement = new SettlementBench(bench, world);
    const figures = [await settlement.memory(FEW)];
    await settlement.warmUp();
    for (const workers of WORKERS) figures.push(await settlement.besideBareSql(workers));
    figures.push(memoryFigure(BETS, settlement.most));
    figures.push(await settlement.withParlays());
    if (full) figures.push(await settlement.memory(MANY));
    return figures;
  } finally {
    await bench.stop();
  }
}

class SettlementBench {
  /** Megabytes that a worker held that settled the week beside the floor, again and again. */
  most = 0;
  private bets = 0;
  private version = 0;

  constructor(
    private readonly bench: Bench,
    private readonly world: World,
  ) {}

  private get db(): pg.Pool {
    return this.bench.db;
  }

  /** So many bets, of which some are parlays, and nothing else. */
  private async fill(bets: number, parlays = 0): Promise<void> {
    await keepBets(this.db, this.world, bets - parlays);
    if (parlays > 0) await keepParlays(this.db, this.world, parlays);
    this.bets = bets;
    await this.db.query('DROP TABLE IF EXISTS kept_members');
    await this.db.query('CREATE TABLE kept_members AS SELECT * FROM pool_members');
    await this.db.query(
      `UPDATE kept_members m SET bets_placed = b.n, bets_open = b.n
       FROM (SELECT pool_id, user_id, count(*) AS n FROM kept_bets GROUP BY 1, 2) b
       WHERE m.pool_id = b.pool_id AND m.user_id = b.user_id`,
    );
  }

  /** The server's caches and the disk's files, once. */
  async warmUp(): Promise<void> {
    await this.fill(BETS);
    await this.reset();
    await bareSettlement(this.bench, this.world, 2);
  }

  /** In turns, so that both meet the same machine. */
  async besideBareSql(count: number): Promise<Figure> {
    const workers = await this.start(count);
    const rounds: { value: number; floor: number }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await this.reset();
      const floor = await bareSettlement(this.bench, this.world, count);
      await this.reset();
      const seconds = await this.settle();
      say(`${count} workers: floor ${floor.toFixed(1)} s, settlement ${seconds.toFixed(1)} s`);
      rounds.push({ value: this.bets / seconds, floor: this.bets / floor });
    }
    this.most = Math.max(this.most, ...workers.map(residentMegabytes));
    await stop(workers);
    const metric = `bets graded by ${count} ${count === 1 ? 'worker' : 'workers'}`;
    return ratioFigure({ bench: 'settlement', metric, unit: 'bets/s' }, rounds, 0.7);
  }

  /** The most that a worker held that began with these bets and graded all of them. */
  async memory(bets: number): Promise<Figure> {
    await this.fill(bets);
    await this.reset();
    const workers = await this.start(1);
    const seconds = await this.settle();
    const most = Math.max(...workers.map(residentMegabytes));
    say(`${bets} bets: ${seconds.toFixed(1)} s, ${most.toFixed(0)} MB`);
    await stop(workers);
    return memoryFigure(bets, most);
  }

  async withParlays(): Promise<Figure> {
    await this.fill(BETS, PARLAYS);
    const workers = await this.start(2);
    const values: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await this.reset();
      const seconds = await this.settle();
      say(`one in twenty a parlay: ${seconds.toFixed(1)} s`);
      values.push(this.bets / seconds);
    }
    await stop(workers);
    return plainFigure(
      { bench: 'settlement', metric: 'bets graded by 2 workers, 5 % parlays', unit: 'bets/s' },
      values,
    );
  }

  private async start(count: number): Promise<Running[]> {
    const workers: Running[] = [];
    for (let n = 0; n < count; n += 1)
      workers.push(await this.bench.start('worker', { LOG_LEVEL: 'warn', DATABASE_POOL_SIZE: '8' }));
    return workers;
  }

  /** Results of every game at once, through the outbox as the product writes them; seconds until all are settled. */
  private async settle(): Promise<number> {
    this.version += 1;
    await this.db.query(
      `UPDATE games SET status = 'final', home_score = 24, away_score = 20, result_version = $1, confirmed_at = now(),
                        starts_at = now() - interval '1 minute'`,
      [this.version],
    );
    await this.db.query("UPDATE markets SET status = 'closed'");
    const began = performance.now();
    await this.db.query(
      `INSERT INTO outbox (id, topic, payload)
       SELECT e.id, 'sports.game-result-recorded', jsonb_build_object('gameId', e.game, 'version', $3::int)
       FROM unnest($1::uuid[], $2::uuid[]) AS e (id, game)`,
      [this.world.games.map(() => v7()), this.world.games.map((game) => game.id), this.version],
    );
    for (;;) {
      const { rows } = await this.db.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM settlements WHERE result_version = $1 AND status = 'done'",
        [this.version],
      );
      if (rows[0]?.n === GAMES) break;
      if (performance.now() - began > 300_000) throw new Error('not settled within five minutes');
      await sleep(50);
    }
    const seconds = (performance.now() - began) / 1000;
    const { rows } = await this.db.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM bets WHERE status = 'placed'",
    );
    if (rows[0]?.n !== 0) throw new Error(`${rows[0]?.n} bets were left open`);
    return seconds;
  }

  /** Puts bets and members back as they were, in the same physical shape each time. */
  private async reset(): Promise<void> {
    // A result without its settlement is one whose job was lost: the workers would settle it again beside the floor.
    await this.db.query(
      `UPDATE games SET status = 'scheduled', home_score = NULL, away_score = NULL, result_version = 0, confirmed_at = NULL`,
    );
    await this.db.query('DELETE FROM settlement_chunks');
    await this.db.query('DELETE FROM settlements');
    await layBets(this.db, this.world);
    await this.db.query('TRUNCATE pool_members');
    await this.db.query('INSERT INTO pool_members SELECT * FROM kept_members');
    const changed = 'bets, bet_legs, pool_members, games, markets, settlements, settlement_chunks, outbox';
    await this.db.query(`VACUUM ANALYZE ${changed}`);
    await this.db.query('CHECKPOINT');
  }
}

function memoryFigure(bets: number, megabytes: number): Figure {
  const metric = `worker's memory at most, ${bets.toLocaleString('en')} bets`;
  return limitFigure({ bench: 'settlement', metric, unit: 'MB' }, [megabytes], MEGABYTES);
}

async function stop(workers: readonly Running[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.stop()));
}

/** Seconds for the same changes: each game's bets and members, in parts of the pools side by side. */
async function bareSettlement({ databaseUrl }: Bench, world: World, connections: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: connections });
  const size = Math.ceil(world.poolIds.length / connections);
  const began = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async (_, part) => {
      const pools = world.poolIds.slice(part * size, (part + 1) * size);
      for (const game of world.games)
        await pool.query({
          name: 'floor',
          text: FLOOR,
          values: [world.weekId, pools, game.markets.map((market) => market.id), v7()],
        });
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  await pool.end();
  return seconds;
}

const FLOOR = `
WITH graded AS (
  UPDATE bets SET status = 'won', payout = stake * price_num / price_den, settlement_id = $4, settled_at = now()
  WHERE week_id = $1 AND pool_id = ANY ($2) AND market_id = ANY ($3) AND status = 'placed'
  RETURNING pool_id, user_id, payout),
sums AS (SELECT pool_id, user_id, sum(payout)::bigint AS delta, count(*)::int AS closed FROM graded GROUP BY 1, 2)
UPDATE pool_members m SET balance = balance + delta, paid_out = paid_out + delta, bets_open = bets_open - closed
FROM sums s WHERE m.pool_id = s.pool_id AND m.user_id = s.user_id`;

function residentMegabytes({ pid }: Running): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
