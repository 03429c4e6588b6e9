import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type Figure, limitFigure, ratioFigure, say } from './support/figures.js';
import { drive, type LoadFigures, pace } from './support/load.js';
import { insertGame, seedBets, seedWorld, signIn, type World } from './support/seed.js';
import { type Bench, type Running, startBench } from './support/services.js';

const MEMBERS = 10_000;
const STORED = 1_000_000;
const CONNECTIONS = 32;
const FLOOR_CONNECTIONS = 8;
const ROUNDS = 3;
export const API_ENV = { DATABASE_POOL_SIZE: '8', LOG_LEVEL: 'warn' };

/** How fast one API process takes bets, beside the same rows written by one bare statement. */
export async function run({ seconds }: { seconds: number }): Promise<Figure[]> {
  const bench = await startBench('parley_bench_bets');
  try {
    const world = await seedWorld(bench.db, { members: MEMBERS, pools: 100, games: 16 });
    await seedBets(bench.db, world, STORED);
    const tokens = await signIn(bench.db, world.userIds, bench.privateKey);
    const api = await bench.start('main', API_ENV);
    await warmUp(api.url, tokens);
    await load(api, bets(world, tokens), 2);
    return [
      ...(await throughput(bench, api, world, tokens, seconds)),
      ...(await hot(bench, api, world, tokens, seconds)),
    ];
  } finally {
    await bench.stop();
  }
}

async function throughput(
  bench: Bench,
  api: Running,
  world: World,
  tokens: string[],
  seconds: number,
): Promise<Figure[]> {
  const rounds: { value: number; floor: number }[] = [];
  const figures: LoadFigures[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const floor = await bareBets(bench.databaseUrl, world, seconds);
    const ours = await load(api, bets(world, tokens), seconds);
    rounds.push({ value: ours.perSecond, floor });
    figures.push(ours);
    say(
      `round ${round}: floor ${floor.toFixed(0)}/s, bets ${ours.perSecond.toFixed(0)}/s, p99 ${ours.p99} ms, ${told(ours)}`,
    );
  }
  const steady: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const paced = await pace({
      url: api.url,
      connections: CONNECTIONS,
      seconds,
      request: bets(world, tokens),
      rate: 1000,
    });
    say(`at 1,000/s, round ${round}: p50 ${paced.p50} ms, p99 ${paced.p99} ms, ${told(paced)}`);
    steady.push(paced.p99);
  }
  return [
    ratioFigure({ bench: 'bets', metric: 'throughput', unit: 'bets/s' }, rounds, 0.35),
    limitFigure(
      { bench: 'bets', metric: 'p99', unit: 'ms' },
      figures.map(({ p99 }) => p99),
      50,
    ),
    limitFigure({ bench: 'bets', metric: 'p99 at 1,000 bets/s', unit: 'ms' }, steady, 20),
  ];
}

/** Everybody on one market; then one that starts while they bet. The floor is the spread-out run. */
async function hot(
  bench: Bench,
  api: Running,
  world: World,
  tokens: string[],
  seconds: number,
): Promise<Figure[]> {
  const [, end] = await weekSpan(bench);
  const rounds: { value: number; floor: number }[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const one = { ...world, games: [await oneMarket(bench, end)] };
    const floor = (await load(api, bets(world, tokens), seconds)).perSecond;
    const ours = await load(api, bets(one, tokens), seconds);
    rounds.push({ value: ours.perSecond, floor });
    say(
      `hot round ${round}: spread out ${floor.toFixed(0)}/s, one market ${ours.perSecond.toFixed(0)}/s, ${told(ours)}`,
    );
  }
  const starting = { ...world, games: [await oneMarket(bench, new Date(Date.now() + 1000))] };
  const across = await load(api, bets(starting, tokens), Math.max(3, seconds / 2));
  say(`hot, across the start: ${told(across)}`);
  const strangers = [...across.answers.keys()].filter(
    (answer) => answer !== '201' && answer !== 'GAME_STARTED',
  );
  return [
    ratioFigure({ bench: 'bets', metric: 'hot market', unit: 'bets/s' }, rounds, 0.8),
    limitFigure(
      { bench: 'bets', metric: 'errors across the start but GAME_STARTED', unit: 'kinds' },
      [strangers.length],
      0,
    ),
  ];
}

async function oneMarket(bench: Bench, startsAt: Date): Promise<World['games'][number]> {
  const game = await insertGame(bench.db, startsAt);
  return { ...game, markets: game.markets.slice(0, 1) };
}

async function weekSpan(bench: Bench): Promise<[Date, Date]> {
  const { rows } = await bench.db.query<{ starts_at: Date; ends_at: Date }>(
    'SELECT starts_at, ends_at FROM weeks',
  );
  return [rows[0]?.starts_at ?? new Date(), new Date((rows[0]?.ends_at.getTime() ?? 0) - 60_000)];
}

export function load(api: Running, request: ReturnType<typeof bets>, seconds: number): Promise<LoadFigures> {
  return drive({
    url: api.url,
    connections: CONNECTIONS,
    seconds,
    request,
  });
}

function told(figures: LoadFigures): string {
  return [...figures.answers].map(([answer, count]) => `${answer} × ${count}`).join(', ');
}

/** Every session is used once, as people who bet have looked at the games before. */
export async function warmUp(url: string, tokens: string[]): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let token = tokens[next++]; token !== undefined; token = tokens[next++])
        await (
          await fetch(`${url}/api/v1/bets?limit=1`, { headers: { Authorization: `Bearer ${token}` } })
        ).text();
    }),
  );
}

/** A bet of a random member on a random outcome. */
export function bets(world: World, tokens: string[]) {
  const picks = world.games.flatMap((game) =>
    game.markets.flatMap((market) => market.outcomes.map((outcome) => ({ marketId: market.id, ...outcome }))),
  );
  const any = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)] as T;
  return () => ({
    method: 'POST' as const,
    path: '/api/v1/bets',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${any(tokens)}`,
      'Idempotency-Key': randomUUID(),
    },
    body: JSON.stringify({ ...any(picks), stake: 5 }),
  });
}

/** The floor: deduct and insert as one statement, prepared, on 8 connections. */
export async function bareBets(databaseUrl: string, world: World, seconds: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: FLOOR_CONNECTIONS });
  const picks = world.games.flatMap((game) => game.markets.map((market) => ({ game: game.id, ...market })));
  const { rows } = await pool.query<{ pool_id: string; user_id: string }>(
    'SELECT pool_id, user_id FROM pool_members',
  );
  const any = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)] as T;
  const end = performance.now() + seconds * 1000;
  let done = 0;
  await Promise.all(
    Array.from({ length: FLOOR_CONNECTIONS }, async () => {
      while (performance.now() < end) {
        const [member, pick] = [any(rows), any(picks)];
        await pool.query({
          name: 'floor',
          text: FLOOR,
          values: [
            member.pool_id,
            member.user_id,
            5,
            world.weekId,
            pick.game,
            pick.id,
            pick.outcomes[0]?.oddsId,
            pick.outcomes[0]?.outcome,
          ],
        });
        done += 1;
      }
    }),
  );
  await pool.end();
  return done / seconds;
}

const FLOOR = `
WITH m AS (
  UPDATE pool_members SET balance = balance - $3, staked = staked + $3, bets_placed = bets_placed + 1, bets_open = bets_open + 1
  WHERE pool_id = $1 AND user_id = $2 AND balance >= $3 RETURNING balance)
INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, american, price_num, price_den, stake,
                  potential_payout, placed_at)
SELECT nextval('bet_id_seq'), $4, $1, $2, $5, $6, $7, $8, -110, 21, 11, $3, $3::bigint * 21 / 11, clock_timestamp() FROM m
RETURNING id`;
