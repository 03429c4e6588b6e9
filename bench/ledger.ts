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
import { type Figure, ratioFigure, say } from './support/figures.js';
import {
  ACCOUNTS,
  FLOOR_BARE,
  FLOOR_TRANSFER,
  floorAccounts,
  makeFloors,
  seedLedger,
} from './support/ledger-floors.js';
import { type Bench, startBench } from './support/services.js';

@Module({})
class LedgerBench {
  static with(config: AppConfig): DynamicModule {
    return { module: LedgerBench, imports: floors(config, 'parley-bench') };
  }
}

const CLIENTS = 8;
const ROUNDS = 3;
const STORED = [100_000, 10_000_000];

const FEES: AccountRef = { kind: 'fees', owner: 'house', currency: 'USD' };
const POT: AccountRef = { kind: 'pot', owner: 'hot', currency: 'USD' };

const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

/** One database with the product in this process and the floors beside it. */
interface Place {
  readonly bench: Bench;
  readonly ledger: LedgerService;
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
    return [...(await throughput(first, seconds)), ...(await growth(places, seconds))];
  } finally {
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
  return {
    bench,
    userIds,
    ledger: app.get(LedgerService),
    work: app.get(UnitOfWork),
    close: async () => {
      await app.close();
      await bench.stop();
    },
  };
}

async function throughput(place: Place, seconds: number): Promise<Figure[]> {
  const { bench, ledger, work } = place;
  const pool = new pg.Pool({ connectionString: bench.databaseUrl, max: CLIENTS });
  const accounts = await floorAccounts(bench.db);
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
  const joined = (to: () => AccountRef) => async () => {
    await work.run(async (manager) => ledger.post(manager, transfer(place, to())));
  };
  const alone = (to: () => AccountRef) => async () => {
    await ledger.postAlone(transfer(place, to()));
  };
  const runs = {
    bare: floor(FLOOR_BARE, two),
    floor: floor(FLOOR_TRANSFER, two),
    'floor, hot': floor(FLOOR_TRANSFER, hot),
    random: alone(() => user(any(place.userIds))),
    'hot (fees)': alone(() => FEES),
    'hot (one row)': alone(() => POT),
    'random, in a transaction of the application': joined(() => user(any(place.userIds))),
    'hot (fees), in a transaction of the application': joined(() => FEES),
  };
  for (const call of Object.values(runs)) await load(call, 1);
  const rounds: Record<keyof typeof runs, number>[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const values = {} as Record<keyof typeof runs, number>;
    for (const [name, call] of Object.entries(runs))
      values[name as keyof typeof runs] = await load(call, seconds);
    rounds.push(values);
    say(
      `round ${round}: ${Object.entries(values)
        .map(([name, value]) => `${name} ${value.toFixed(0)}/s`)
        .join(', ')}`,
    );
  }
  await pool.end();
  const beside = (metric: string, value: keyof typeof runs, under: keyof typeof runs, target: number) =>
    ratioFigure(
      { bench: 'ledger', metric, unit: 'transfers/s' },
      rounds.map((each) => ({ value: each[value], floor: each[under] })),
      target,
    );
  return [
    beside('random accounts beside two locked accounts', 'random', 'floor', 1),
    beside('random accounts beside bare statements', 'random', 'bare', 0.5),
    beside('one hot account beside two locked accounts', 'hot (fees)', 'floor, hot', 4),
  ];
}

/** Whether transfers stay as fast as entries pile up. */
async function growth(places: readonly Place[], seconds: number): Promise<Figure[]> {
  const rounds: { value: number; floor: number }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const values: number[] = [];
    for (const place of places)
      values.push(
        await load(
          async () => void (await place.ledger.postAlone(transfer(place, user(any(place.userIds))))),
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
      { bench: 'ledger', metric: `random accounts with ${STORED[1]} entries stored`, unit: 'transfers/s' },
      rounds,
      0.9,
    ),
  ];
}

async function load(call: () => Promise<void>, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (performance.now() < end) {
        await call();
        done += 1;
      }
    }),
  );
  return done / seconds;
}

function user(userId: string): AccountRef {
  return { kind: 'user_available', owner: userId, currency: 'USD' };
}

/** Of one minor unit, from a random user. */
function transfer({ userIds }: Place, to: AccountRef): Posting {
  let from = user(any(userIds));
  while (from.owner === to.owner) from = user(any(userIds));
  return {
    reference: `bench:${v7()}`,
    type: 'payment',
    legs: [
      { account: from, amount: -1n },
      { account: to, amount: 1n },
    ],
  };
}
