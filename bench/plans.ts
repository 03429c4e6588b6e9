import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { EntityManager } from 'typeorm';
import { v7 } from 'uuid';
import { SessionsRepository } from '../src/modules/auth/sessions.repository.js';
import { BetHistoryRepository } from '../src/modules/bets/bet-history.repository.js';
import { BetsRepository } from '../src/modules/bets/bets.repository.js';
import { MembersRepository } from '../src/modules/pools/members.repository.js';
import { GamesRepository } from '../src/modules/sports/games.repository.js';
import { OddsRepository } from '../src/modules/sports/odds/odds.repository.js';
import type { Database } from '../src/platform/database/database.js';
import { DeadlinesRepository } from '../src/platform/jobs/deadlines.repository.js';
import { OutboxRepository } from '../src/platform/outbox/outbox.repository.js';
import { type Figure, limitFigure, say } from './support/figures.js';
import { explainMoney } from './support/money-plans.js';
import { seedBets, seedWorld } from './support/seed.js';
import { seedMoney } from './support/seed-money.js';
import { startBench } from './support/services.js';

const STORED = 1_000_000;
/** Rows from which on a table is one that nothing on a hot path may read whole. */
const LARGE = 100_000;

/**
 * Prints, as Markdown, the plan of every statement on a hot path with a million bets, payments and transfers stored, and counts
 * those that read a large table whole, by the plan for these values or the one for any.
 */
export async function run(): Promise<Figure[]> {
  const bench = await startBench('parley_bench_plans');
  const client = new pg.Client({ connectionString: bench.databaseUrl });
  try {
    say(`storing ${STORED} bets …`);
    const world = await seedWorld(bench.db, { members: 10_000, pools: 100, games: 16 });
    await seedBets(bench.db, world, STORED);
    say(`storing ${STORED} payments, their events, withdrawals, holds and transfers …`);
    const big = await seedMoney(bench.db, world.userIds, STORED);
    await client.connect();
    const [userId, poolId, game] = [world.userIds[7] ?? '', world.poolIds[7] ?? '', world.games[3]];
    const market = game?.markets[1];
    if (!game || !market) throw new Error('the world has no game');
    const whole: string[] = [];
    const { rows: large } = await bench.db.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND reltuples > $1",
      [LARGE],
    );
    const statements = explaining(client, (plan, name) => {
      for (const [, table] of plan.matchAll(/Seq Scan on (\w+)/g))
        if (large.some((each) => each.name === table)) whole.push(`${table}: ${name}\n${plan}`);
    });
    const database = statements as unknown as Database;
    const manager = statements as unknown as EntityManager;
    const bets = new BetsRepository(database);
    const history = new BetHistoryRepository(database);
    const members = new MembersRepository(database);
    const anything = { status: null, kind: null, gameId: null, from: null, to: null, before: null };
    const betFilter = { ...anything, weekIds: [world.weekId], limit: 21 };
    await history.ofUser(userId, betFilter);
    await history.ofUser(userId, { ...betFilter, before: '500000' });
    await history.findOfUser(userId, '500000', [world.weekId]);
    await bets.countByPool(manager, world.weekId, [market.id]);
    await bets.weeksOf(manager, [market.id], [world.weekId]);
    await members.liveTable(poolId);
    await members.findMember(userId, world.weekId);
    const games = new GamesRepository(database, undefined as never, undefined as never, undefined as never);
    await games.slate({ sport: null, from: null, to: null, after: null, limit: 21 });
    say(`storing ${STORED} prices of one market …`);
    await seedPrices(bench.db, market.id, STORED);
    const odds = new OddsRepository(database);
    const ofMarket = { id: market.id, createdAt: new Date() };
    const outcomes = market.outcomes.map(({ outcome }) => outcome);
    const page = { outcomes, from: null, to: null, before: null, limit: 21 };
    await odds.history(ofMarket, page);
    await odds.history(ofMarket, { ...page, to: new Date(Date.now() - 600_000) });
    await odds.ends(ofMarket, outcomes);
    await new SessionsRepository(database, undefined as never, undefined as never).findLive(v7(), new Date());
    await new OutboxRepository(database).take(manager, 200);
    await new DeadlinesRepository(database).fireDue([v7()]);
    const { rows: some } = await bench.db.query<{ id: string }>(
      "SELECT id FROM payments WHERE status = 'pending' LIMIT 1",
    );
    await explainMoney(statements, { userId, big, paymentId: some[0]?.id ?? '' });
    await nested(
      client,
      'ledger_hold',
      "SELECT * FROM ledger_hold($1, $2, $3, 1000, 'USD', 'withdrawal', NULL, '{}')",
      [v7(), Buffer.alloc(32), userId],
    );
    await nested(client, 'ledger_expire (one of a million)', 'SELECT * FROM ledger_expire(1, $1, $2)', [
      '-infinity',
      '00000000-0000-0000-0000-000000000000',
    ]);
    const outcome = market.outcomes[0];
    const users = world.userIds.slice(8, 24);
    const all = <T>(value: T): T[] => users.map(() => value);
    await nested(
      client,
      'place_bets (16 members)',
      'SELECT place_bets($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, 1000, 10000000, 18, false)',
      [
        users,
        users.map(() => randomUUID()),
        all(Buffer.alloc(32)),
        all(market.id),
        all(outcome?.outcome),
        all(5),
        all(outcome?.oddsId),
        all('exact'),
        all(world.weekId),
      ],
    );
    const grades = market.outcomes.map((each) => ({
      market_id: market.id,
      outcome: each.outcome,
      status: 'lost',
      reason: null,
      v_num: 0,
      v_den: 1,
      w: 0,
      h_num: 1,
      h_den: 1,
    }));
    await bench.db.query('UPDATE pool_members SET bets_placed = 1000, bets_open = 1000');
    const startsAt = new Date(Date.now() + 1000);
    await nested(
      client,
      'bets_grade (one pool of one market)',
      'SELECT bets_grade($1, $2, $3, $4, $5, $6, $7, false)',
      [v7(), world.weekId, [poolId], [market.id], startsAt, JSON.stringify(grades), new Date()],
    );
    for (const found of whole) say(`reads a large table whole: ${found}`);
    return [
      limitFigure(
        { bench: 'plans', metric: 'statements that read a large table whole', unit: 'statements' },
        [whole.length],
        0,
      ),
    ];
  } finally {
    await client.end();
    await bench.stop();
  }
}

/**
 * Stands where a repository expects its database, and explains each statement instead; what it changes is undone. Statements with
 * a name are prepared: sooner or later they run by the plan for any values, which is looked at too.
 */
function explaining(client: pg.Client, look: (plan: string, name: string) => void) {
  const planOf = async (how: string, text: string, values?: unknown[]): Promise<string> => {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (${how}) ${text}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };
  const explain = async (name: string, text: string, values: unknown[], isNamed: boolean) => {
    await client.query('BEGIN');
    const plan = await planOf('ANALYZE, BUFFERS, COSTS OFF', text, values);
    await client.query('ROLLBACK');
    look(plan, name);
    if (isNamed) look(await planOf('GENERIC_PLAN', text), name);
    print(name, plan);
    return [];
  };
  return {
    query: (first: string, second: unknown, third: unknown[] = []) =>
      typeof second === 'string'
        ? explain(first, second, third, true)
        : explain(
            first.trim().split('\n', 1)[0]?.slice(0, 60) ?? '',
            first,
            (second as unknown[] | undefined) ?? [],
            false,
          ),
  };
}

/** Prices that a market has had, each a millisecond after the other, until now. */
async function seedPrices(db: pg.Pool, marketId: string, count: number): Promise<void> {
  await db.query(
    `INSERT INTO odds (id, market_id, outcome, american, price_num, price_den, created_at)
     SELECT (lpad(to_hex((extract(epoch FROM t.at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
            $1, (ARRAY['home', 'away'])[1 + n % 2], 101 + n % 500, 201 + n % 500, 100, t.at
     FROM generate_series(1, $2::int) AS n CROSS JOIN LATERAL (SELECT now() - ($2::int - n) * interval '1 ms' AS at) t`,
    [marketId, count],
  );
  await db.query('VACUUM ANALYZE odds');
}

/** The plans of the statements inside a function, as the sixth call runs them (by then they are generic). */
async function nested(client: pg.Client, name: string, text: string, values: unknown[]): Promise<void> {
  const plans: string[] = [];
  await client.query("LOAD 'auto_explain'");
  await client.query('SET auto_explain.log_min_duration = 0');
  await client.query('SET auto_explain.log_nested_statements = on');
  await client.query('SET auto_explain.log_analyze = on');
  client.on('notice', ({ message }) => plans.push(message ?? ''));
  for (let call = 1; call <= 7; call += 1) {
    if (call === 7) await client.query('SET client_min_messages = log');
    await client.query('BEGIN');
    await client.query(text, values);
    await client.query('ROLLBACK');
  }
  await client.query('RESET client_min_messages');
  await client.query('SET auto_explain.log_min_duration = -1');
  client.removeAllListeners('notice');
  print(name, plans.map((plan) => plan.replace(/Query Parameters:.*\n/, '')).join('\n\n'));
}

function print(name: string, plan: string): void {
  process.stdout.write(
    `\n<details><summary><code>${name}</code></summary>\n\n\`\`\`\n${plan}\n\`\`\`\n\n</details>\n`,
  );
}
