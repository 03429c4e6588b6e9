import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 } from 'uuid';
import type { PriceTaken } from '../src/modules/sports/odds/odds-intake.service.js';
import { type Figure, limitFigure, median, ratioFigure, say } from './support/figures.js';
import type { ClientsOrder, ClientsReport } from './support/odds-clients.js';
import type { GeneratorOrder, GeneratorRound, Publication } from './support/odds-generator.js';
import { changesOf, openIntake, type PricedMarket, seedMarkets, take } from './support/odds-intake.js';
import { seedWorld, signIn } from './support/seed.js';
import { type Bench, type Running, startBench } from './support/services.js';

const GAMES = 200;
const MARKETS_PER_GAME = 10;
const SOCKETS = 1000;
const CLIENT_PROCESSES = 2;
const PER_SECOND = 5000;
const RATES = [1000, PER_SECOND];
const ROUNDS = 5;
const BATCH = 1000;
/** p99 beside a bare server's, at most. */
const MOST_RATIO = 1.5;
/** Each side hears of its own changes alone. */
const PREFIXES = { 'bare-sockets': 'parley-bench-bare', main: 'parley-bench-odds' };
type Side = keyof typeof PREFIXES;
const SIDES = Object.keys(PREFIXES) as Side[];
/** A process that stood still has by now done what its timers owed. */
const SETTLE_MS = 1500;

/** How many changes of prices are taken in, and how long one is on its way to those who follow its game. */
export async function run({ seconds }: { seconds: number }): Promise<Figure[]> {
  const bench = await startBench('parley_bench_odds');
  try {
    const world = await seedWorld(bench.db, { members: SOCKETS, pools: 10, games: 0 });
    const tokens = await signIn(bench.db, world.userIds, bench.privateKey);
    const markets = await seedMarkets(bench.db, { games: GAMES, marketsPerGame: MARKETS_PER_GAME });
    const taking = await intakeFigures(bench, markets, seconds);
    return [...taking, ...(await latencyFigures(bench, tokens, seconds))];
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

/** One server with the clients that follow its games, and who changes their prices. */
interface Opened {
  server: Running;
  clients: ChildProcess[];
  generator: ChildProcess;
}

/**
 * Turn about, each side first as often as the other, while the other's server stands still; each with games, clients and a generator
 * of its own, which live as long as it does, so that nothing starts up, or has anything to catch up with, in a round.
 */
async function latencyFigures(bench: Bench, tokens: string[], seconds: number): Promise<Figure[]> {
  const opened = {
    'bare-sockets': await open(bench, 'bare-sockets', tokens),
    main: await open(bench, 'main', tokens),
  };
  const measured = async (side: Side, perSecond: number, label: string): Promise<number> => {
    const others = SIDES.filter((each) => each !== side).map((each) => opened[each].server.pid);
    for (const pid of others) process.kill(pid, 'SIGSTOP');
    try {
      await sleep(SETTLE_MS);
      const { p99, text } = await latency(opened[side], { perSecond, seconds: seconds / 2 });
      say(`${perSecond} changes/s, ${label}, ${side}: ${text}`);
      return p99;
    } finally {
      for (const pid of others) process.kill(pid, 'SIGCONT');
    }
  };
  for (const label of ['warm-up', 'warm-up'])
    for (const side of SIDES) await measured(side, PER_SECOND, label);
  const figures: Figure[] = [];
  for (const perSecond of RATES) {
    const rounds: { value: number; floor: number }[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const p99 = { 'bare-sockets': 0, main: 0 };
      for (const side of round % 2 === 1 ? SIDES : SIDES.toReversed())
        p99[side] = await measured(side, perSecond, `round ${round}`);
      rounds.push({ value: p99.main, floor: p99['bare-sockets'] });
    }
    const metric = `p99 to ${SOCKETS} sockets at ${perSecond} changes/s`;
    const figure = ratioFigure({ bench: 'odds', metric, unit: 'ms' }, rounds, MOST_RATIO);
    figures.push({ ...figure, pass: (figure.ratio ?? Number.POSITIVE_INFINITY) <= MOST_RATIO });
  }
  for (const { clients, generator } of Object.values(opened))
    for (const child of [...clients, generator]) child.kill();
  return figures;
}

async function open(bench: Bench, side: Side, tokens: readonly string[]): Promise<Opened> {
  const { databaseUrl, redisUrl } = bench;
  const prefix = PREFIXES[side];
  const markets = await seedMarkets(bench.db, { games: GAMES, marketsPerGame: MARKETS_PER_GAME });
  const games = [...new Set(markets.map(({ gameId }) => gameId))];
  const sockets = tokens.map((token, index) => ({ token, gameId: games[index % games.length] ?? '' }));
  const server = await bench.start(side, {
    REDIS_PREFIX: prefix,
    REDIS_URL: redisUrl,
    DATABASE_POOL_SIZE: '8',
    LOG_LEVEL: 'warn',
  });
  const share = Math.ceil(sockets.length / CLIENT_PROCESSES);
  const clients = await Promise.all(
    Array.from({ length: CLIENT_PROCESSES }, async (_, index) => {
      const own = sockets.slice(index * share, (index + 1) * share);
      return await openChild('odds-clients', { url: server.url, sockets: own });
    }),
  );
  const generator = await openChild('odds-generator', {
    databaseUrl,
    redisUrl,
    prefix,
    markets,
  });
  return { server, clients, generator };
}

async function openChild(name: string, order: ClientsOrder | GeneratorOrder): Promise<ChildProcess> {
  const child = fork(`dist/bench/support/${name}.js`, {
    execArgv: ['--expose-gc', '--max-semi-space-size=32', '--v8-pool-size=0'],
  });
  child.send(order);
  const [message] = (await once(child, 'message')) as unknown[];
  if (message !== 'ready') throw new Error(`${name} is not ready`);
  return child;
}

/** From the publication of a change, right after its commit, to each of those who follow its game. */
async function latency(
  { clients, generator }: Opened,
  load: GeneratorRound,
): Promise<{ p99: number; text: string }> {
  for (const client of clients) client.send('reset');
  generator.send(load);
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
