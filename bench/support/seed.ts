import { createPrivateKey, createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, SignJWT } from 'jose';
import type pg from 'pg';
import { v7 } from 'uuid';
import { weekBounds, weekIdAt } from '../../src/modules/pools/domain/calendar.js';

/** A week in play: members in pools, games with their markets, and a token for each of the first members. */
export interface World {
  weekId: number;
  poolIds: string[];
  userIds: string[];
  games: WorldGame[];
}

export interface WorldGame {
  id: string;
  markets: { id: string; outcomes: { outcome: string; oddsId: string }[] }[];
}

const SECOND = 1000;

/** Members hold enough to bet for ever, so that a bench measures bets and not refusals. */
export async function seedWorld(
  db: pg.Pool,
  size: { members: number; pools: number; games: number; startsInSeconds?: number },
): Promise<World> {
  const now = new Date();
  const weekId = weekIdAt(now);
  const { startsAt, endsAt } = weekBounds(weekId);
  await db.query(
    `INSERT INTO weeks (id, gate, starts_at, ends_at, status, seed_hash, seed) VALUES ($1, $2, $3, $4, 'grouped', '', $5)`,
    [weekId, v7(), startsAt, endsAt, Buffer.alloc(32)],
  );
  await db.query('SELECT bets_open_week($1)', [weekId]);
  const poolIds = Array.from({ length: size.pools }, () => v7());
  await db.query(
    `INSERT INTO pools (id, week_id, number, name, size)
     SELECT id, $1, number, 'P' || number, $3 FROM unnest($2::uuid[]) WITH ORDINALITY AS p (id, number)`,
    [weekId, poolIds, Math.ceil(size.members / size.pools)],
  );
  const userIds = Array.from({ length: size.members }, () => v7());
  await db.query(
    `INSERT INTO users (id, email, handle, display_name, birth_date, terms_version, terms_accepted_at, created_at)
     SELECT id, n || '@example.com', 'player' || n, 'player' || n, '1990-01-01', '2026-11', now(), now()
     FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, n)`,
    [userIds],
  );
  await db.query(
    `WITH placed AS (
       SELECT u.id AS user_id, u.n, ($3::uuid[])[1 + (u.n - 1) % $4::int] AS pool_id
       FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, n)),
     passed AS (INSERT INTO week_passes (user_id, week_id, source, created_at) SELECT user_id, $2, 'admin', now() FROM placed),
     entered AS (INSERT INTO week_entries (user_id, week_id, pool_id, draw_position) SELECT user_id, $2, pool_id, n FROM placed)
     INSERT INTO pool_members (pool_id, user_id, week_id, draw_position, balance, starting)
     SELECT pool_id, user_id, $2, n, 1000000000, 1000000000 FROM placed`,
    [userIds, weekId, poolIds, size.pools],
  );
  const latest = new Date(endsAt.getTime() - 60 * SECOND);
  const kickOff =
    size.startsInSeconds === undefined ? latest : new Date(now.getTime() + size.startsInSeconds * SECOND);
  const games = await Promise.all(Array.from({ length: size.games }, () => insertGame(db, kickOff)));
  return { weekId, poolIds, userIds, games };
}

export async function insertGame(db: pg.Pool, startsAt: Date): Promise<WorldGame> {
  const id = v7();
  await db.query(
    `INSERT INTO games (id, source, external_id, sport, league, season, home_team, away_team, starts_at, first_starts_at)
     VALUES ($1::uuid, 'bench', $1::text, 'american_football', 'NFL', '2026', 'HOM', 'AWY', $2, $2)`,
    [id, startsAt],
  );
  const markets: WorldGame['markets'] = [];
  for (const [kind, line, names] of [
    ['moneyline', null, ['home', 'away']],
    ['spread', '-3.5', ['home', 'away']],
    ['total', '45', ['over', 'under']],
  ] as const) {
    const marketId = v7();
    await db.query('INSERT INTO markets (id, game_id, kind, line) VALUES ($1, $2, $3, $4)', [
      marketId,
      id,
      kind,
      line,
    ]);
    const outcomes = names.map((outcome) => ({ outcome, oddsId: v7() }));
    for (const { outcome, oddsId } of outcomes) {
      const price = [oddsId, marketId, outcome];
      await db.query(
        'INSERT INTO odds (id, market_id, outcome, american, price_num, price_den) VALUES ($1, $2, $3, -110, 21, 11)',
        price,
      );
      await db.query(
        `INSERT INTO market_prices (odds_id, market_id, outcome, american, price_num, price_den)
         VALUES ($1, $2, $3, -110, 21, 11)`,
        price,
      );
    }
    markets.push({ id: marketId, outcomes });
  }
  return { id, markets };
}

/** Bets that are stored already, spread over members and markets, each of one credit. */
export async function seedBets(db: pg.Pool, world: World, count: number): Promise<void> {
  await insertBets(db, world, count, 'bets');
  await db.query('VACUUM ANALYZE');
}

async function insertBets(db: pg.Pool, world: World, count: number, into: string): Promise<void> {
  const markets = world.games.flatMap((game) => game.markets.map((market) => ({ game: game.id, ...market })));
  await db.query(
    `WITH m AS (SELECT array_agg(user_id ORDER BY draw_position) AS users, array_agg(pool_id ORDER BY draw_position) AS pools
                FROM pool_members)
     INSERT INTO ${into} (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, american, price_num, price_den,
                       stake, potential_payout, placed_at)
     SELECT nextval('bet_id_seq'), $1, m.pools[1 + n % $2], m.users[1 + n % $2], ($3::uuid[])[1 + n % $4],
            ($5::uuid[])[1 + n % $4], ($6::uuid[])[1 + n % $4], ($7::text[])[1 + n % $4], -110, 21, 11, 1, 1,
            now() - interval '1 hour'
     FROM generate_series(0, $8::bigint - 1) AS n, m`,
    [
      world.weekId,
      world.userIds.length,
      markets.map((market) => market.game),
      markets.length,
      markets.map((market) => market.id),
      markets.map((market) => market.outcomes[0]?.oddsId),
      markets.map((market) => market.outcomes[0]?.outcome),
      count,
    ],
  );
}

/** Tables of bets that wait to be put into their week, where they are soon there again as they were: see `layBets`. */
export async function keepBets(db: pg.Pool, world: World, count: number): Promise<void> {
  for (const table of WEEKLY) {
    await db.query(`DROP TABLE IF EXISTS kept_${table}`);
    await db.query(`CREATE UNLOGGED TABLE kept_${table} (LIKE ${table} INCLUDING DEFAULTS)`);
  }
  await insertBets(db, world, count, 'kept_bets');
}

/** The week's bets are those that were kept, in the same order; its partitions get their indexes when they are full. */
export async function layBets(db: pg.Pool, { weekId }: World): Promise<void> {
  const client = await db.connect();
  await client.query('SET synchronize_seqscans = off');
  for (const table of WEEKLY) {
    const week = `${table}_${weekId}`;
    await client.query(`DROP TABLE ${week}`);
    await client.query(
      `CREATE TABLE ${week} (LIKE ${table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 85)`,
    );
    await client.query(`INSERT INTO ${week} SELECT * FROM kept_${table}`);
    await client.query(`ALTER TABLE ${table} ATTACH PARTITION ${week} FOR VALUES IN (${weekId})`);
  }
  client.release();
}

const WEEKLY = ['bets', 'bet_legs'];

/** Parlays of two to four legs, each leg on another game, spread over the members; kept with the other bets. */
export async function keepParlays(db: pg.Pool, world: World, count: number): Promise<void> {
  const games = world.games.map(({ id, markets }) => ({ id, market: markets[1] }));
  await db.query(
    `WITH m AS (SELECT array_agg(user_id ORDER BY draw_position) AS users, array_agg(pool_id ORDER BY draw_position) AS pools
                FROM pool_members),
     placed AS (
       INSERT INTO kept_bets (id, week_id, pool_id, user_id, legs, stake, potential_payout, placed_at)
       SELECT nextval('bet_id_seq'), $1, m.pools[1 + n % $2], m.users[1 + n % $2], 2 + n % 3, 100, 1000, now() - interval '1 hour'
       FROM generate_series(0, $3::bigint - 1) AS n, m RETURNING id, pool_id, legs)
     INSERT INTO kept_bet_legs (bet_id, week_id, pool_id, number, game_id, market_id, odds_id, outcome, american, price_num, price_den)
     SELECT p.id, $1, p.pool_id, l, ($4::uuid[])[g.n], ($5::uuid[])[g.n], ($6::uuid[])[g.n], ($7::text[])[g.n], -110, 21, 11
     FROM placed p CROSS JOIN generate_series(1, p.legs) AS l
     CROSS JOIN LATERAL (SELECT 1 + (p.id + l) % cardinality($4::uuid[]) AS n) g`,
    [
      world.weekId,
      world.userIds.length,
      count,
      games.map(({ id }) => id),
      games.map(({ market }) => market?.id),
      games.map(({ market }) => market?.outcomes[0]?.oddsId),
      games.map(({ market }) => market?.outcomes[0]?.outcome),
    ],
  );
}

/** A live session and its access token for each of these users. */
export async function signIn(db: pg.Pool, userIds: string[], privateKey: string): Promise<string[]> {
  const key = createPrivateKey(privateKey);
  const sessions = userIds.map(() => v7());
  await db.query(
    `INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at)
     SELECT id, user_id, now(), now(), now() + interval '7 days' FROM unnest($1::uuid[], $2::uuid[]) AS s (id, user_id)`,
    [sessions, userIds],
  );
  const kid = await calculateJwkThumbprint(createPublicKey(key));
  const now = Math.floor(Date.now() / SECOND);
  return await Promise.all(
    userIds.map((userId, index) =>
      new SignJWT({ sid: sessions[index], role: 'user' })
        .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'at+jwt' })
        .setIssuer('parley')
        .setSubject(userId)
        .setIssuedAt(now)
        .setExpirationTime(now + 24 * 3600)
        .sign(key),
    ),
  );
}
