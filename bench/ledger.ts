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
import { drive } from './support/load.js';
import { signIn } from './support/seed.js';
import { seedOperators, seedWithdrawals } from './support/seed-withdrawals.js';
import { type Bench, startBench } from './support/services.js';

@Module({})
class LedgerBench {
  static with(config: AppConfig): DynamicModule {
    return { module: LedgerBench, imports: floors(config, 'parley-bench') };
  }
}

const CLIENTS = 8;
const CONNECTIONS = 32;
const ROUNDS = 3;
const WARM_UP = 2;
/** Withdrawals made for each second of the measurement through HTTP and beside it. */
const SEEDED_A_SECOND = 5000;
const STORED = [100_000, 10_000_000];

const FEES: AccountRef = { kind: 'fees', owner: 'house', currency: 'USD' };
const POT: AccountRef = { kind: 'pot', owner: 'hot', currency: 'USD' };

const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

/** One database with the product in this process and the floors beside it. */
interface Place {
  readonly bench: Bench;
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
      await throughHttp(first, seconds),
      ...(await growth(places, seconds)),
    ];
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
    keyRing: app.get(KeyRing),
    work: app.get(UnitOfWork),
    close: async () => {
      await app.close();
      await bench.stop();
    },
  };
}

/** As everything that moves money does: in a transaction of the application. */
async function post({ ledger, work }: Place, posting: Posting): Promise<void> {
  await work.run(async (manager) => ledger.post(manager, posting));
}

async function throughput(place: Place, seconds: number): Promise<Figure[]> {
  const { bench } = place;
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
  const ours = (to: () => AccountRef) => async () => post(place, transfer(place, to()));
  const runs = {
    bare: floor(FLOOR_BARE, two),
    floor: floor(FLOOR_TRANSFER, two),
    'floor, hot': floor(FLOOR_TRANSFER, hot),
    random: ours(() => user(any(place.userIds))),
    'hot (fees)': ours(() => FEES),
    'hot (one row)': ours(() => POT),
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

/**
 * The operation of the API that moves money with the least around it, an operator's no to a withdrawal (its state, the audit log
 * and the event that tells of it), beside the release of the hold alone, which is its money, without HTTP and all of that.
 */
async function throughHttp(place: Place, seconds: number): Promise<Figure> {
  const { bench, ledger, work, keyRing, userIds } = place;
  const tokens = await signIn(bench.db, await seedOperators(bench.db, CONNECTIONS), bench.privateKey);
  const needed = SEEDED_A_SECOND * (WARM_UP + ROUNDS * seconds);
  const waiting = await seedWithdrawals(bench.db, userIds, keyRing, needed);
  const next = () => {
    const one = waiting.pop();
    if (!one) throw new Error('there are not enough withdrawals: raise SEEDED_A_SECOND');
    return one;
  };
  const api = await bench.start('main', { LOG_LEVEL: 'warn', DATABASE_POOL_SIZE: String(CLIENTS) });
  const http = async (time: number) => {
    const { perSecond, answers } = await drive({
      url: api.url,
      connections: CONNECTIONS,
      seconds: time,
      request: () => ({
        method: 'POST',
        path: `/api/v1/admin/withdrawals/${next().id}/decide`,
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${any(tokens)}` },
        body: '{"decision":"reject","note":"bench"}',
      }),
    });
    if (answers.size !== 1 || !answers.has('200')) throw new Error(`refused: ${[...answers].join(' ')}`);
    return perSecond;
  };
  const alone = async (time: number) =>
    load(async () => {
      const { id, holdId } = next();
      await work.run(async (manager) =>
        ledger.release(manager, { holdId, reference: `withdrawal:${id}:released` }),
      );
    }, time);
  await http(WARM_UP);
  await alone(WARM_UP);
  const rounds: { value: number; floor: number }[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const floor = await alone(seconds);
    const value = await http(seconds);
    rounds.push({ value, floor });
    say(`round ${round}: releases ${floor.toFixed(0)}/s, through HTTP ${value.toFixed(0)}/s`);
  }
  await api.stop();
  return ratioFigure(
    {
      bench: 'ledger',
      metric: 'rejected withdrawals through HTTP beside releases alone',
      unit: 'transfers/s',
    },
    rounds,
    0.5,
  );
}

/** Whether transfers stay as fast as entries pile up. */
async function growth(places: readonly Place[], seconds: number): Promise<Figure[]> {
  const rounds: { value: number; floor: number }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const values: number[] = [];
    for (const place of places)
      values.push(
        await load(
          async () => post(place, transfer(place, user(any(place.userIds)))),
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
