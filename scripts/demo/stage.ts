import { join } from 'node:path';
import type { WeekDto } from '../../src/modules/pools/dto/weeks.dto.js';
import { freePort } from '../embedded/ports.js';
import { newPassword, newSigningKey, type PublishedRules } from '../launch/environment.js';
import { writeClaim } from '../launch/claim.js';
import { expectData, HttpClient } from '../launch/http-client.js';
import type { Lifetime } from '../launch/lifetime.js';
import { ProductProcess, runTool } from '../launch/product.js';
import type { Screen } from '../launch/screen.js';
import { forgetKeys, setClock, startServices } from '../launch/services.js';
import type { DemoOptions } from './options.js';
import type { Meter } from './meter.js';
import { Records } from './records.js';
import { WeekClock } from './week-clock.js';

const DATABASE = 'parley_demo';
const REDIS_PREFIX = 'parley-demo';
/** `npm start` has database 0. */
const REDIS_DATABASE = 1;
const API_PORT = 3200;
const WORKER_PORT = 3300;
const ADMIN = { email: 'admin@example.com', handle: 'admin' };

/** Everything the phases of the demo have in common. */
export interface Stage {
  readonly options: DemoOptions;
  readonly rules: PublishedRules;
  readonly screen: Screen;
  readonly lifetime: Lifetime;
  readonly meter: Meter;
  readonly records: Records;
  readonly admin: HttpClient;
  readonly clock: WeekClock;
  /** The API's address with its prefix. */
  readonly base: string;
}

/** A fresh system of the demo's own, at the evening before the week, with the season's games in it. */
export async function setStage(
  given: Pick<Stage, 'options' | 'rules' | 'screen' | 'lifetime' | 'meter'>,
  options: { dataDir: string; claim: string; startAt: Date },
): Promise<Stage> {
  const { screen, lifetime, meter } = given;
  const { dataDir, claim, startAt } = options;
  const services = await startServices(dataDir, screen, lifetime);
  const url = services.databaseUrl(DATABASE);
  const redisUrl = services.redisUrl(REDIS_DATABASE);
  const password = newPassword();
  const env: NodeJS.ProcessEnv = {
    NODE_ENV: 'development',
    CLOCK_MODE: 'movable',
    DATABASE_URL: url,
    REDIS_URL: redisUrl,
    REDIS_PREFIX,
    JWT_PRIVATE_KEY: newSigningKey(),
    GEO_LOCAL_PLACE: 'US-CO',
    SPORTS_FEEDS: '', // its games are those of the season, and it says itself how they end
    LOG_LEVEL: 'warn',
    // Hundreds of players share one address and a week is over in a minute: counted and told, but not reached.
    RATE_LIMIT_FACTOR: '1000000',
  };
  await screen.step(`Making a fresh database, ${DATABASE}`, async () => {
    await services.recreateDatabase(DATABASE);
    await forgetKeys(redisUrl, REDIS_PREFIX);
    const { runMigrations } = await import('../../src/platform/database/migrate.js');
    await runMigrations(url);
    await setClock(url, startAt);
  });
  lifetime.check();
  const { file } = given.options.season;
  await screen.step(`Importing ${file}`, () =>
    Promise.all([
      runTool(['dist/src/cli/import.js', file], env, lifetime.signal),
      runTool(
        ['dist/src/cli/create-admin.js', '--email', ADMIN.email, '--handle', ADMIN.handle],
        { ...env, ADMIN_PASSWORD: password },
        lifetime.signal,
      ),
    ]),
  );
  const { port: apiPort } = await freePort(API_PORT);
  const { port: workerPort } = await freePort(WORKER_PORT);
  env['SANDBOX_URL'] = `http://127.0.0.1:${apiPort}`;
  await screen.step('Starting API and worker', async () => {
    const logFile = (name: string): string => join(dataDir, 'logs', `demo-${name}.log`);
    const processes = [
      new ProductProcess({ name: 'API', port: apiPort, env, logFile: logFile('api') }, screen),
      new ProductProcess({ name: 'worker', port: workerPort, env, logFile: logFile('worker') }, screen),
    ];
    for (const one of processes) lifetime.own(one);
    writeClaim(claim, processes);
    await Promise.all(processes.map((one) => one.ready(lifetime)));
  });
  const base = `http://127.0.0.1:${apiPort}/api/v1`;
  const admin = new HttpClient(base, meter.observe);
  expectData('sign-in of the admin', await admin.signIn(ADMIN.email, password));
  const clock = new WeekClock(admin, { ...given, startAt });
  return { ...given, records: new Records(), admin, clock, base };
}

/** Asks until the answer is the one waited for: the worker is at it. Throws after a minute. */
export async function eventually<T>(
  lifetime: Lifetime,
  what: string,
  probe: () => Promise<T | null>,
): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const found = await probe();
    if (found !== null) return found;
    if (performance.now() > deadline)
      throw new Error(`${what} did not happen within a minute: see the worker's log.`);
    await lifetime.sleep(50);
  }
}

/** Waits until the week is in one of these states. */
export async function weekIs({ admin, lifetime, options }: Stage, ...states: string[]): Promise<WeekDto> {
  return await eventually(lifetime, `Week ${options.week} becoming ${states.join(' or ')}`, async () => {
    const answer = await admin.call<WeekDto>('GET', `weeks/${options.week}`);
    return answer.ok && states.includes(answer.data.status) ? answer.data : null;
  });
}
