import 'reflect-metadata';
import { createHash, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import autocannon from 'autocannon';
import pg from 'pg';
import { v7 } from 'uuid';
import { loadRules } from '../src/platform/config/load-config.js';
import { type Figure, limitFigure, ratioFigure, say } from './support/figures.js';
import { drive, type LoadFigures, pace } from './support/load.js';
import { seedWorld, signIn } from './support/seed.js';
import { type Bench, type Running, startBench } from './support/services.js';

const USERS = 2_000;
const CONNECTIONS = 32;
const FLOOR_CONNECTIONS = 8;
const LOGINS_AT_ONCE = 8;
const ROUNDS = 3;
const PASSWORD = 'correct horse battery';

/** What the session check costs, how fast refresh tokens rotate, and whether logins leave the event loop alone. */
export async function run({ seconds }: { seconds: number }): Promise<Figure[]> {
  const bench = await startBench('parley_bench_auth');
  try {
    const { userIds } = await seedWorld(bench.db, { members: USERS, pools: 20, games: 1 });
    const tokens = await signIn(bench.db, userIds, bench.privateKey);
    return [
      ...(await guard(bench, tokens, seconds)),
      await rotations(bench, userIds, seconds),
      ...(await logins(bench, userIds.slice(0, 200), seconds)),
    ];
  } finally {
    await bench.stop();
  }
}

/** The bare route with the guard and without, in one process: as Nest makes it, and the leanest that we know to make. */
async function guard(bench: Bench, tokens: string[], seconds: number): Promise<Figure[]> {
  const usual = await guardedRoute(bench, tokens, {});
  const costs = await guardCosts(usual, seconds);
  const p99s = await guardTimes(usual, seconds);
  await usual.server.stop();
  const lean = await guardedRoute(bench, tokens, { LEAN: '1' });
  const leanCosts = await guardCosts(lean, seconds);
  await lean.server.stop();
  return [
    limitFigure(
      { bench: 'auth', metric: 'route with the session check, beside without', unit: '×' },
      costs,
      1.35,
    ),
    limitFigure(
      { bench: 'auth', metric: 'the same without parser of bodies and ETag', unit: '×' },
      leanCosts,
      1.6,
    ),
    limitFigure({ bench: 'auth', metric: 'session check alone, p99 at 1,000/s', unit: 'ms' }, p99s, 5),
  ];
}

interface GuardedRoute {
  server: Running;
  load: (route: string, time: number, rate?: number) => Promise<LoadFigures>;
}

async function guardedRoute(
  bench: Bench,
  tokens: string[],
  env: Record<string, string>,
): Promise<GuardedRoute> {
  const server = await bench.start('guarded-nest', { LOG_LEVEL: 'warn', ...env });
  const any = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)] as T;
  const load = (route: string, time: number, rate?: number) => {
    const how = {
      url: server.url,
      connections: CONNECTIONS,
      seconds: time,
      request: () => ({
        method: 'GET' as const,
        path: `/bench/${route}`,
        headers: { Authorization: `Bearer ${any(tokens)}` },
      }),
    };
    return rate === undefined ? drive(how) : pace({ ...how, rate });
  };
  await load('open', 2);
  await load('guarded', 4); // every session's first look-up goes to Postgres
  return { server, load };
}

async function guardCosts({ load }: GuardedRoute, seconds: number): Promise<number[]> {
  const costs: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const open = await load('open', seconds);
    const guarded = await load('guarded', seconds);
    costs.push(open.perSecond / guarded.perSecond);
    say(
      `guard, round ${round}: without ${open.perSecond.toFixed(0)}/s, with ${guarded.perSecond.toFixed(0)}/s, ${[...guarded.answers].join(' ')}`,
    );
  }
  return costs;
}

async function guardTimes({ server, load }: GuardedRoute, seconds: number): Promise<number[]> {
  const p99s: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await fetch(`${server.url}/bench/timings`);
    await load('timed', seconds, 1000);
    const { p99 } = (await (await fetch(`${server.url}/bench/timings`)).json()) as { p99: number };
    p99s.push(p99);
    say(`guard at 1,000/s, round ${round}: p99 ${p99.toFixed(2)} ms`);
  }
  return p99s;
}

/** Chains of refresh tokens, each request using up what the one before was given. */
async function rotations(bench: Bench, userIds: string[], seconds: number): Promise<Figure> {
  const api = await bench.start('main', { LOG_LEVEL: 'warn', DATABASE_POOL_SIZE: '8' });
  const free = await chains(bench.db, userIds.slice(0, 1000));
  const bare = await chains(bench.db, userIds.slice(1000));
  const rounds: { value: number; floor: number }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const floor = await bareRotations(bench.databaseUrl, bare, seconds);
    const value = await rotate(api.url, free, seconds);
    if (round === 0) continue; // the warm-up
    rounds.push({ value, floor });
    say(`refresh, round ${round}: floor ${floor.toFixed(0)}/s, ours ${value.toFixed(0)}/s`);
  }
  await api.stop();
  return ratioFigure({ bench: 'auth', metric: 'refresh rotations', unit: 'rotations/s' }, rounds, 0.25);
}

async function rotate(url: string, free: string[], seconds: number): Promise<number> {
  const refused = new Map<string, number>();
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    requests: [
      {
        setupRequest: (request) => ({
          ...request,
          method: 'POST',
          path: '/api/v1/auth/refresh',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ refreshToken: free.shift() }),
        }),
        onResponse: (status, body) => {
          const next = /"refreshToken":"([^"]+)"/.exec(body)?.[1];
          if (next === undefined) refused.set(String(status), (refused.get(String(status)) ?? 0) + 1);
          else free.push(next);
        },
      },
    ],
  });
  if (refused.size > 0) throw new Error(`refreshes were refused: ${[...refused].join(' ')}`);
  return result.requests.average;
}

/** A session and its first refresh token for each of these users. */
async function chains(db: pg.Pool, userIds: string[]): Promise<string[]> {
  const tokens = userIds.map(() => randomBytes(32).toString('base64url'));
  await db.query(
    `WITH opened AS (
       INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at)
       SELECT id, user_id, now(), now(), now() + interval '7 days' FROM unnest($1::uuid[], $2::uuid[]) AS s (id, user_id))
     INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at)
     SELECT sha256(convert_to(token, 'UTF8')), id, now(), now() + interval '7 days'
     FROM unnest($1::uuid[], $3::text[]) AS t (id, token)`,
    [userIds.map(() => v7()), userIds, tokens],
  );
  return tokens;
}

/** The floor: use up, extend and issue as one statement, prepared, on 8 connections. */
async function bareRotations(databaseUrl: string, free: string[], seconds: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: FLOOR_CONNECTIONS });
  const end = performance.now() + seconds * 1000;
  const sha256 = (text: string) => createHash('sha256').update(text).digest();
  let done = 0;
  await Promise.all(
    Array.from({ length: FLOOR_CONNECTIONS }, async () => {
      while (performance.now() < end) {
        const token = free.shift() ?? '';
        const next = randomBytes(32).toString('base64url');
        await pool.query({ name: 'rotate', text: ROTATE, values: [sha256(token), sha256(next)] });
        free.push(next);
        done += 1;
      }
    }),
  );
  await pool.end();
  return done / seconds;
}

const ROTATE = `
WITH used AS (
  UPDATE refresh_tokens SET used_at = now() WHERE token_hash = $1 AND used_at IS NULL RETURNING session_id),
extended AS (
  UPDATE sessions SET expires_at = now() + interval '7 days' FROM used WHERE id = used.session_id)
INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at)
SELECT $2, session_id, now(), now() + interval '7 days' FROM used`;

/** Sign-ins by password beside argon2id itself at the same parameters, as many at once. */
async function logins(bench: Bench, userIds: string[], seconds: number): Promise<Figure[]> {
  const stored = await hash(PASSWORD, loadRules('config').auth.argon2);
  await bench.db.query(
    'INSERT INTO credentials (user_id, password_hash, changed_at) SELECT unnest($1::uuid[]), $2, now()',
    [userIds, stored],
  );
  const { rows } = await bench.db.query<{ email: string }>('SELECT email FROM users WHERE id = ANY ($1)', [
    userIds,
  ]);
  const api = await bench.start('main', { LOG_LEVEL: 'warn', DATABASE_POOL_SIZE: '8' });
  const emails = rows.map(({ email }) => email);
  await signIns(api.url, emails, 2 * seconds); // until the code is compiled
  const rounds: { value: number; floor: number }[] = [];
  const lags: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const floor = await bareVerifications(stored, seconds);
    await lagOf(api.url);
    const ours = await signIns(api.url, emails, seconds);
    lags.push(await lagOf(api.url));
    rounds.push({ value: ours, floor });
    say(
      `logins, round ${round}: argon2id ${floor.toFixed(1)}/s, ours ${ours.toFixed(1)}/s, event loop lag p99 ${lags.at(-1)?.toFixed(1)} ms`,
    );
  }
  await api.stop();
  return [
    ratioFigure({ bench: 'auth', metric: 'logins', unit: 'logins/s' }, rounds, 0.9),
    limitFigure({ bench: 'auth', metric: 'event loop lag while they run, p99', unit: 'ms' }, lags, 20),
  ];
}

/** Sign-ins a second. Each connection has users of its own, and requests that were made beforehand: the load is not measured. */
async function signIns(url: string, emails: string[], seconds: number): Promise<number> {
  let connection = 0;
  const result = await autocannon({
    url,
    connections: LOGINS_AT_ONCE,
    duration: seconds,
    setupClient: (client) => {
      const first = (connection += 1) - 1;
      client.setRequests(
        emails
          .filter((_, index) => index % LOGINS_AT_ONCE === first)
          .map((email) => ({
            method: 'POST',
            path: '/api/v1/auth/login',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ email, password: PASSWORD }),
          })),
      );
    },
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} logins were refused, ${result.errors} failed`);
  return result.requests.average;
}

async function bareVerifications(stored: string, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  await Promise.all(
    Array.from({ length: LOGINS_AT_ONCE }, async () => {
      while (performance.now() < end) {
        await verify(stored, PASSWORD);
        done += 1;
      }
    }),
  );
  return done / seconds;
}

/** Milliseconds, since it was asked last. */
async function lagOf(url: string): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers: { Authorization: 'Bearer a token of the bench' } });
  const seconds = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(await answer.text())?.[1];
  return Number(seconds) * 1000;
}
