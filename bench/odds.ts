import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 } from 'uuid';
import type { PriceTaken } from '../src/modules/sports/odds/odds-intake.service.js';
import { type Figure, limitFigure, median, ratioFigure, say } from './support/figures.js';
import type { ClientsOrder, ClientsReport } from './support/odds-clients.js';
import type { GeneratorOrder, Publication } from './support/odds-generator.js';
import { changesOf, openIntake, type PricedMarket, seedMarkets, take } from './support/odds-intake.js';
import { seedWorld, signIn } from './support/seed.js';
import { type Bench, type Running, startBench } from './support/services.js';

const GAMES = 200;
const MARKETS_PER_GAME = 10;
const SOCKETS = 1000;
const CLIENT_PROCESSES = 2;
const PER_SECOND = 5000;
const ROUNDS = 3;
const BATCH = 1000;
/** p99 beside a bare server's, at most. */
const MOST_RATIO = 1.5;
/** Each side hears of its own changes alone. */
const PREFIXES = { main: 'parley-bench-odds', 'bare-sockets': 'parley-bench-bare' };
type Side = keyof typeof PREFIXES;
/**
 * Both sides' changes are of the same games: what the product was not told while it stood still it finds out for itself, at its next
 * look at their heads and half a second, and reads all of them anew. That is over before it is measured again.
 */
const CATCH_UP_MS = 6000;

/** How many changes of prices are taken in, and how long one is on its way to those who follow its game. */
export async function run({ seconds }: { seconds: number }): Promise<Figure[]> {
  const bench = await startBench('parley_bench_odds');
  try {
    const world = await seedWorld(bench.db, { members: SOCKETS, pools: 10, games: 0 });
    const tokens = await signIn(bench.db, world.userIds, bench.privateKey);
    const markets = await seedMarkets(bench.db, { games: GAMES, marketsPerGame: MARKETS_PER_GAME });
    const taking = await intakeFigures(bench, markets, seconds);
    return [...taking, ...(await latencyFigures(bench, markets, tokens, seconds))];
  } finally {
    await bench.stop();
  }
}

async function intakeFigures(bench: Bench, markets: PricedMarket[], seconds: number): Promise<Figure[]> {
  const intake = await openIntake({ ...bench, prefix: PREFIXES.main });
  const changes = changesOf(markets);
  await intake.service.take(take(changes, markets.length * 2), []);
  await bench.db.query('VACUUM ANALYZE');
  const lags: number[] = [];
  const began = performance.now();
  let [sent, stored] = [0, 0];
  while (sent < (PER_SECOND * seconds) / 2) {
    const owed = Math.min(BATCH, Math.floor(((performance.now() - began) * PER_SECOND) / 1000) - sent);
    if (owed > 0) stored += await intake.service.take(take(changes, owed), []);
    // The oldest of the batch has waited longest.
    if (owed > 0) lags.push(performance.now() - began - (sent * 1000) / PER_SECOND);
    sent += Math.max(owed, 0);
    await sleep(10);
  }
  const took = (performance.now() - began) / 1000;
  lags.sort((a, b) => a - b);
  const p99 = lags[Math.floor(lags.length * 0.99)] ?? 0;
  say(
    `${PER_SECOND} changes/s on ${markets.length} markets for ${took.toFixed(1)} s: ${stored} of ${sent} stored, lag p50 ${median(lags).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
  );
  const rounds: { value: number; floor: number }[] = [];
  for (let round = 1; round <= 3; round += 1) {
    const floor = await most(seconds / 8, async () => bareTake(bench, take(changes, BATCH)));
    const value = await most(seconds / 8, async () => intake.service.take(take(changes, BATCH), []));
    rounds.push({ value, floor });
    say(`round ${round}: bare INSERT and UPDATE ${floor.toFixed(0)}/s, taken ${value.toFixed(0)}/s`);
  }
  await intake.stop();
  return [
    limitFigure({ bench: 'odds', metric: `lag p99 at ${PER_SECOND} changes/s`, unit: 'ms' }, [p99], 250),
    limitFigure({ bench: 'odds', metric: 'changes lost', unit: 'changes' }, [sent - stored], 0),
    ratioFigure({ bench: 'odds', metric: 'intake', unit: 'changes/s' }, rounds, 0.4),
  ];
}

/** Batches a second, one after the other, in changes. */
async function most(seconds: number, batch: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < seconds * 1000) {
    await batch();
    count += BATCH;
  }
  return count / ((performance.now() - began) / 1000);
}

/** The same rows by two bare statements in one: no locks taken, nothing looked at, nothing told. */
async function bareTake(bench: Bench, changes: readonly PriceTaken[]): Promise<void> {
  await bench.db.query({
    name: 'bare take',
    text: `WITH n AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[]) AS n (id, market_id, outcome, american)),
           kept AS (INSERT INTO odds (id, market_id, outcome, american, price_num, price_den)
                    SELECT id, market_id, outcome, american, american + 100, 100 FROM n)
           UPDATE market_prices p SET odds_id = n.id, american = n.american, price_num = n.american + 100, price_den = 100
           FROM n WHERE p.market_id = n.market_id AND p.outcome = n.outcome`,
    values: [
      changes.map(() => v7()),
      changes.map(({ marketId }) => marketId),
      changes.map(({ outcome }) => outcome),
      changes.map(({ american }) => american),
    ],
  });
}

async function latencyFigures(
  bench: Bench,
  markets: PricedMarket[],
  tokens: string[],
  seconds: number,
): Promise<Figure[]> {
  const games = [...new Set(markets.map(({ gameId }) => gameId))];
  const sockets = tokens.map((token, index) => ({ token, gameId: games[index % games.length] ?? '' }));
  const open = async (kind: Side) => {
    const env = {
      REDIS_PREFIX: PREFIXES[kind],
      REDIS_URL: bench.redisUrl,
      DATABASE_POOL_SIZE: '8',
      LOG_LEVEL: 'warn',
    };
    const server = await bench.start(kind, env);
    return { server, clients: await openClients(server, sockets) };
  };
  const [bare, ours] = [await open('bare-sockets'), await open('main')];
  const figures: Figure[] = [];
  for (const perSecond of [1000, PER_SECOND]) {
    const rounds: { value: number; floor: number }[] = [];
    // The first round of all warms up.
    for (let round = figures.length === 0 ? 0 : 1; round <= ROUNDS; round += 1) {
      const load = { markets, perSecond: round === 0 ? PER_SECOND : perSecond, seconds: seconds / 4 };
      process.kill(ours.server.pid, 'SIGSTOP');
      const floor = await latency(bench, 'bare-sockets', bare.clients, load);
      process.kill(ours.server.pid, 'SIGCONT');
      await sleep(CATCH_UP_MS);
      const told = await latency(bench, 'main', ours.clients, load);
      const name = `${load.perSecond} changes/s, ${round === 0 ? 'warm-up' : `round ${round}`}`;
      say(`${name}, bare: ${floor.text}`);
      say(`${name}, ours: ${told.text}`);
      if (round > 0) rounds.push({ value: told.p99, floor: floor.p99 });
    }
    const metric = `p99 to ${SOCKETS} sockets at ${perSecond} changes/s`;
    const figure = ratioFigure({ bench: 'odds', metric, unit: 'ms' }, rounds, MOST_RATIO);
    figures.push({ ...figure, pass: (figure.ratio ?? Number.POSITIVE_INFINITY) <= MOST_RATIO });
  }
  for (const client of [...bare.clients, ...ours.clients]) client.kill();
  return figures;
}

async function openClients(server: Running, sockets: ClientsOrder['sockets']): Promise<ChildProcess[]> {
  const share = Math.ceil(sockets.length / CLIENT_PROCESSES);
  return await Promise.all(
    Array.from({ length: CLIENT_PROCESSES }, async (_, index) => {
      const child = fork('dist/bench/support/odds-clients.js');
      const order: ClientsOrder = {
        url: server.url,
        sockets: sockets.slice(index * share, (index + 1) * share),
      };
      child.send(order);
      const [message] = (await once(child, 'message')) as unknown[];
      if (message !== 'ready') throw new Error('the clients are not ready');
      return child;
    }),
  );
}

/** From the publication of a change, right after its commit, to each of those who follow its game. */
async function latency(
  bench: Bench,
  side: Side,
  clients: ChildProcess[],
  load: { markets: PricedMarket[]; perSecond: number; seconds: number },
): Promise<{ p99: number; text: string }> {
  for (const client of clients) client.send('reset');
  const generator = fork('dist/bench/support/odds-generator.js');
  const { databaseUrl, redisUrl } = bench;
  const order: GeneratorOrder = { databaseUrl, redisUrl, prefix: PREFIXES[side], ...load };
  generator.send(order);
  const [publications] = (await once(generator, 'message')) as [Publication[]];
  await sleep(500);
  const byNumber = new Map(publications.map((each) => [`${each.gameId} ${each.seq}`, each]));
  const times: number[] = [];
  const whole: number[] = [];
  let [messages, bytes, changes] = [0, 0, 0];
  for (const client of clients) {
    client.send('report');
    const [report] = (await once(client, 'message')) as [ClientsReport];
    bytes += report.bytes;
    messages += report.at.length;
    report.at.forEach((at, index) => {
      for (let seq = (report.from[index] ?? 0) + 1; seq <= (report.seq[index] ?? 0); seq += 1) {
        const publication = byNumber.get(`${report.games[report.game[index] ?? -1]} ${seq}`);
        if (!publication) continue;
        changes += publication.changes;
        times.push(at - publication.published);
        whole.push(at - publication.due);
      }
    });
  }
  const owed = publications.reduce((sum, each) => sum + each.changes, 0) * (SOCKETS / GAMES);
  const at = (list: number[], share: number) =>
    list.toSorted((a, b) => a - b)[Math.floor(list.length * share)] ?? 0;
  return {
    p99: at(times, 0.99),
    text: `p50 ${at(times, 0.5).toFixed(1)} ms, p99 ${at(times, 0.99).toFixed(1)} ms (from before the database p50 ${at(whole, 0.5).toFixed(1)}, p99 ${at(whole, 0.99).toFixed(1)}), ${changes} of ${owed} changes came in ${messages} messages, ${(bytes / 1e6).toFixed(1)} MB`,
  };
}
