import 'reflect-metadata';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { v7 } from 'uuid';
import { floors } from '../src/app.module.js';
import { LedgerService } from '../src/modules/wallet/ledger.service.js';
import type { AccountRef, Posting } from '../src/modules/wallet/ledger.types.js';
import type { AppConfig } from '../src/platform/config/app-config.js';
import { loadAppConfig } from '../src/platform/config/load-config.js';
import { UnitOfWork } from '../src/platform/database/unit-of-work.js';
import { KeyRing } from '../src/platform/security/key-ring.js';
import { type Figure, ratioFigure, say } from './support/figures.js';
import {
  ACCOUNTS,
  FLOOR_BARE,
  FLOOR_TRANSFER,
  floorAccounts,
  makeFloors,
  seedLedger,
} from './support/ledger-floors.js';
import { groupsOf, type PairOrder, postAlone } from './support/ledger-groups.js';
import { releasesThroughHttp } from './support/ledger-http.js';
import { any, CLIENTS, load } from './support/ledger-load.js';
import { type Bench, startBench } from './support/services.js';

@Module({})
class LedgerBench {
  static with(config: AppConfig): DynamicModule {
    return { module: LedgerBench, imports: floors(config, 'parley-bench') };
  }
}

const ROUNDS = 3;
const STORED = [100_000, 10_000_000];

const FEES: AccountRef = { kind: 'fees', owner: 'house', currency: 'USD' };
const POT: AccountRef = { kind: 'pot', owner: 'hot', currency: 'USD' };

/**
 * As where a commit takes a millisecond to be durable (a volume over the network, a standby that confirms): Postgres itself waits
 * that long before each flush, also for a single commit. The flush of this machine's own disk takes a tenth of that.
 */
const SLOW_COMMITS = '-c commit_delay=1000 -c commit_siblings=0';

/** One database with the product in this process and the floors beside it. */
interface Place {
  readonly bench: Bench;
  /** What calls functions alone: as many connections as clients, each call its own transaction. */
  readonly pool: pg.Pool;
  readonly ledger: LedgerService;
  readonly keyRing: KeyRing;
  readonly work: UnitOfWork;
  readonly userIds: string[];
  close(): Promise<void>;
}

/** Transfers a second of 8 clients, beside pgledger's shape and bare statements; and with many entries stored. */
export async function run({ seconds }: { seconds: number }): Promise<Figure[]> {
  const places: Place[] = [];
  try {
    for (const stored of STORED) {
      say(`storing ${stored} entries …`);
      places.push(await open(stored));
    }
    const [first] = places as [Place, Place];
    return [
      ...(await throughput(first, seconds)),
      ...(await throughputOfSlowCommits(first, seconds)),
      await releasesThroughHttp(first, ROUNDS, seconds),
      ...(await growth(places, seconds)),
    ];
  } finally {
    // They are databases of one server, which stops with the first of them.
    for (const { pool } of places) await pool.end();
    for (const place of places.toReversed()) await place.close();
  }
}

async function open(stored: number): Promise<Place> {
  const bench = await startBench(`parley_bench_ledger_${stored}`);
  const userIds = Array.from({ length: ACCOUNTS }, () => v7());
  await makeFloors(bench.db);
  await seedLedger(bench.db, userIds, stored);
  const config = loadAppConfig({
    NODE_ENV: 'production',
    DATABASE_URL: bench.databaseUrl,
    DATABASE_POOL_SIZE: String(CLIENTS),
    REDIS_URL: bench.redisUrl,
    REDIS_PREFIX: `parley-bench-ledger-${stored}`,
    ...bench.secrets,
    LOG_LEVEL: 'warn',
  });
  const app = await NestFactory.createApplicationContext(LedgerBench.with(config), { logger: ['error'] });
  const pool = new pg.Pool({ connectionString: bench.databaseUrl, max: CLIENTS });
  return {
    bench,
    pool,
    userIds,
    ledger: app.get(LedgerService),
    keyRing: app.get(KeyRing),
    work: app.get(UnitOfWork),
    close: async () => {
      await app.close();
      await bench.stop();
    },
  };
}

/** What is measured of transfers, each by its name, over connections of this pool. */
async function transfers(place: Place, pool: pg.Pool) {
  const accounts = await floorAccounts(place.bench.db);
  const [hottest] = accounts as [string];
  const two = () => {
    const from = any(accounts);
    for (;;) {
      const to = any(accounts);
      if (to !== from) return [from, to];
    }
  };
  const hot = () => [any(accounts.slice(1)), hottest];
  const floor = (text: string, values: () => string[]) => async () => {
    await pool.query({ name: text.slice(0, 30), text, values: values() });
  };
  const groups = groupsOf(pool);
  const ours = (to: () => AccountRef) => async () => {
    await groups.ask(order(place, to()));
  };
  const someUser = () => user(any(place.userIds));
  return {
    bare: floor(FLOOR_BARE, two),
    floor: floor(FLOOR_TRANSFER, two),
    'floor, hot': floor(FLOOR_TRANSFER, hot),
    random: ours(someUser),
    'random, one a call': async () => {
      await postAlone(pool, order(place, someUser()));
    },
    'hot (fees)': ours(() => FEES),
    'hot (one row)': ours(() => POT),
  };
}

type Calls = Record<string, () => Promise<void>>;

/**
 * Rounds of all of them, one after the other, after a second of each to warm up: many short ones, for the machine's speed is another
 * from one moment to the next.
 */
async function interleaved<Runs extends Calls>(runs: Runs, seconds: number) {
  for (const call of Object.values(runs)) await load(call, 1);
  const rounds: Record<keyof Runs, number>[] = [];
  for (let round = 1; round <= 3 * ROUNDS; round += 1) {
    const values = {} as Record<keyof Runs, number>;
    for (const [name, call] of Object.entries(runs))
      values[name as keyof Runs] = await load(call, seconds / 3);
    rounds.push(values);
    say(
      `round ${round}: ${Object.entries(values)
        .map(([name, value]) => `${name} ${value.toFixed(0)}/s`)
        .join(', ')}`,
    );
  }
  return (metric: string, value: keyof Runs, under: keyof Runs, target: number) =>
    ratioFigure(
      { bench: 'ledger', metric, unit: 'transfers/s' },
      rounds.map((each) => ({ value: each[value], floor: each[under] })),
      target,
    );
}

async function throughput(place: Place, seconds: number): Promise<Figure[]> {
  const { pool, ledger, work, userIds } = place;
  // An account is made by the first transfer to it.
  for (const to of [FEES, POT]) await work.run(async (manager) => ledger.post(manager, transfer(place, to)));
  const figure = await interleaved(
    {
      ...(await transfers(place, pool)),
      // As what moves money does that does more than that: between BEGIN and COMMIT, through TypeORM.
      'in a transaction': async () => {
        await work.run(async (manager) => ledger.post(manager, transfer(place, user(any(userIds)))));
      },
    },
    seconds,
  );
  return [
    figure('random accounts, in groups, beside two locked accounts', 'random', 'floor', 1),
    figure('random accounts, in groups, beside bare statements', 'random', 'bare', 0.5),
    figure('random accounts, one a call, beside two locked accounts', 'random, one a call', 'floor', 0),
    figure('one hot account, in groups, beside two locked accounts', 'hot (fees)', 'floor, hot', 4),
    figure(
      'one hot account of one row, in groups, beside two locked accounts',
      'hot (one row)',
      'floor, hot',
      0,
    ),
    figure('in a transaction of the application beside one call', 'in a transaction', 'floor', 0),
  ];
}

async function throughputOfSlowCommits(place: Place, seconds: number): Promise<Figure[]> {
  const pool = new pg.Pool({
    connectionString: place.bench.databaseUrl,
    max: CLIENTS,
    options: SLOW_COMMITS,
  });
  const { floor, 'floor, hot': floorHot, random, 'hot (fees)': hot } = await transfers(place, pool);
  const began = performance.now();
  for (let n = 0; n < 100; n += 1) await floor();
  say(
    `commits that take 1 ms: a floor's transfer by itself ${((performance.now() - began) / 100).toFixed(2)} ms`,
  );
  const figure = await interleaved({ floor, 'floor, hot': floorHot, random, 'hot (fees)': hot }, seconds);
  await pool.end();
  return [
    figure(
      // Told only: eight clients that wait for one commit together wait longer than each for its own.
      'random accounts, in groups, commits that take 1 ms, beside two locked accounts',
      'random',
      'floor',
      0,
    ),
    figure(
      'one hot account, in groups, commits that take 1 ms, beside two locked accounts',
      'hot (fees)',
      'floor, hot',
      4,
    ),
  ];
}

/** Whether transfers stay as fast as entries pile up. */
async function growth(places: readonly Place[], seconds: number): Promise<Figure[]> {
  const groups = new Map(places.map((place) => [place, groupsOf(place.pool)]));
  const rounds: { value: number; floor: number }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const values: number[] = [];
    for (const place of places)
      values.push(
        await load(
          async () => {
            await groups.get(place)?.ask(order(place, user(any(place.userIds))));
          },
          round === 0 ? 2 : seconds,
        ),
      );
    if (round === 0) continue; // the warm-up
    rounds.push({ value: values[1] ?? 0, floor: values[0] ?? 1 });
    say(
      `round ${round}: ${STORED.map((stored, n) => `${stored} stored ${values[n]?.toFixed(0)}/s`).join(', ')}`,
    );
  }
  return [
    ratioFigure(
      {
        bench: 'ledger',
        metric: `random accounts, in groups, with ${STORED[1]} entries stored`,
        unit: 'transfers/s',
      },
      rounds,
      0.9,
    ),
  ];
}

function user(userId: string): AccountRef {
  return { kind: 'user_available', owner: userId, currency: 'USD' };
}

/** Of one minor unit, from a random user. */
function order({ userIds }: Place, to: AccountRef): PairOrder {
  let from = user(any(userIds));
  while (from.owner === to.owner) from = user(any(userIds));
  const forwards = from.kind + from.owner < to.kind + to.owner;
  return forwards ? { from, to, amount: 1n } : { from: to, to: from, amount: -1n };
}

function transfer(place: Place, to: AccountRef): Posting {
  const { from, to: second, amount } = order(place, to);
  return {
    reference: `bench:${v7()}`,
    type: 'payment',
    legs: [
      { account: from, amount: -amount },
      { account: second, amount },
    ],
  };
}
