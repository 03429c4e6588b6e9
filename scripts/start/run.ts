import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../embedded/ports.js';
import { claimDirectory, releaseClaim, writeClaim } from '../launch/claim.js';
import {
  keptSecret,
  newPassword,
  newSigningKey,
  newSymmetricKey,
  portVariable,
  prepareEnvironment,
  readPublishedRules,
  variable,
  writeEnvironment,
} from '../launch/environment.js';
import { Lifetime, messageOf } from '../launch/lifetime.js';
import { ProductProcess, runTool } from '../launch/product.js';
import { Screen, seconds } from '../launch/screen.js';
import { forgetKeys, type Services, setClock, startServices } from '../launch/services.js';
import { BEFORE_THE_DRAW } from './accounts.js';
import { banner } from './banner.js';
import { noteStop, readContents, resumeClock } from './database.js';
import { seedAsOperator, seedOverHttp } from './seed.js';
import { watchSources } from './watch.js';

const DATABASE = 'parley';
const REDIS_PREFIX = 'parley';
const API_PORT = 3000;
const WORKER_PORT = 3100;
const DAY_MS = 86_400_000;

/** Names in the data directory. */
const KEY_FILE = 'jwt-key.pem';
const ENCRYPTION_KEY_FILE = 'encryption-key';
const INDEX_KEY_FILE = 'blind-index-key';
const PASSWORD_FILE = 'demo-password';
const CLAIM_FILE = 'start.json';
/** Named in package.json, for `ledger:verify` and `audit:verify`. */
const ENVIRONMENT_FILE = 'environment';
const STOPPED_FILE = 'stopped-at';

interface Ports {
  readonly api: number;
  readonly worker: number;
}

interface Options {
  readonly watch: boolean;
  /** Begins with an empty database. */
  readonly fresh: boolean;
}

/** `npm start` and `npm run dev`. Runs until it is stopped; returns the exit code. */
export async function start(args: string[]): Promise<number> {
  const screen = new Screen();
  const lifetime = new Lifetime(screen);
  try {
    const options = readOptions(args);
    const dataDir = prepareEnvironment();
    if (variable('NODE_ENV') === 'production')
      throw new Error(
        'npm start is for development: in production run dist/src/main.js and dist/src/worker.js.',
      );
    const claim = join(dataDir, CLAIM_FILE);
    await claimDirectory(claim, 'start.js', screen);
    const code = await new DevelopmentSystem(options, dataDir, screen, lifetime).run();
    releaseClaim(claim);
    return code;
  } catch (error) {
    screen.error(messageOf(error));
    return 1;
  }
}

class DevelopmentSystem {
  private readonly rules = readPublishedRules();
  private processes: ProductProcess[] = [];
  private clockRuns = false;

  constructor(
    private readonly options: Options,
    private readonly dataDir: string,
    private readonly screen: Screen,
    private readonly lifetime: Lifetime,
  ) {}

  /** Starts everything, waits for its end, stops everything. Returns the exit code. */
  async run(): Promise<number> {
    const { screen, lifetime } = this;
    let failed = false;
    try {
      await this.startAll();
      await this.untilStopped();
    } catch (error) {
      failed = !lifetime.signal.aborted;
      if (failed) screen.error(messageOf(error));
    }
    const clean = await lifetime.stopAll();
    if (this.clockRuns) noteStop(join(this.dataDir, STOPPED_FILE));
    if (!failed && clean) screen.line('Stopped.');
    return failed || !clean ? 1 : 0;
  }

  private async startAll(): Promise<void> {
    const since = performance.now();
    const { screen, lifetime, dataDir } = this;
    const services = await startServices(dataDir, screen, lifetime);
    const url = await this.prepareDatabase(services);
    const api = await this.port('PORT', API_PORT, 'API', -1);
    const ports = { api, worker: await this.port('WORKER_PORT', WORKER_PORT, 'worker', api) };
    const env = this.productEnv(url, services);
    const unseeded = await this.seedDatabase(url, env);
    this.clockRuns = true;
    await screen.step('Starting API and worker', () => this.startProcesses(env, ports));
    const password = keptSecret(join(dataDir, PASSWORD_FILE), newPassword);
    if (unseeded)
      await screen.step('Signing up ada and bob, and drawing their pool', () =>
        seedOverHttp(`http://127.0.0.1:${ports.api}/api/v1`, { password, lifetime, ...this.rules }),
      );
    const logs = relative('.', join(dataDir, 'logs'));
    const text = await banner({ port: ports.api, workerPort: ports.worker, password, logs, ...this.rules });
    lifetime.check();
    screen.line(`Ready after ${seconds(performance.now() - since)}.\n${text}`);
    if (this.options.watch) this.watch(url, env, ports);
  }

  /** The database, made and migrated. */
  private async prepareDatabase(services: Services): Promise<string> {
    const { screen, lifetime } = this;
    if (this.options.fresh) {
      if (services.ownDatabaseUrl !== undefined)
        throw new Error('--fresh drops the embedded database only: empty the one of DATABASE_URL yourself.');
      await screen.step('Dropping the database', () => services.recreateDatabase(DATABASE));
      await forgetKeys(services.redisUrl(0), REDIS_PREFIX);
    } else if (services.ownDatabaseUrl === undefined) await services.ensureDatabase(DATABASE);
    lifetime.check();
    const url = services.ownDatabaseUrl ?? services.databaseUrl(DATABASE);
    await screen.step('Migrating the database', async () => {
      const { runMigrations } = await import('../../src/platform/database/migrate.js');
      const direct = services.ownDatabaseUrl === undefined ? undefined : variable('DATABASE_DIRECT_URL');
      await runMigrations(direct ?? url);
    });
    lifetime.check();
    return url;
  }

  /** Loads the season into a database that has no games; whether accounts and pools are still to be made over HTTP. */
  private async seedDatabase(url: string, env: NodeJS.ProcessEnv): Promise<boolean> {
    const { games, accounts, drawn } = await readContents(url);
    const stoppedAt = join(this.dataDir, STOPPED_FILE);
    const unseeded = !games || (accounts && !drawn);
    if (!unseeded) {
      await resumeClock(url, stoppedAt);
      return false;
    }
    rmSync(stoppedAt, { force: true });
    await setClock(url, new Date(BEFORE_THE_DRAW));
    const password = keptSecret(join(this.dataDir, PASSWORD_FILE), newPassword);
    await this.screen.step('Loading the NFL season of 2023, with its prices', () =>
      seedAsOperator(env, password, this.lifetime.signal),
    );
    return true;
  }

  private productEnv(url: string, services: Services): NodeJS.ProcessEnv {
    const keyFile = join(this.dataDir, KEY_FILE);
    return {
      NODE_ENV: 'development',
      CLOCK_MODE: 'movable',
      DATABASE_URL: url,
      REDIS_URL: services.redisUrl(0),
      REDIS_PREFIX: variable('REDIS_PREFIX') ?? REDIS_PREFIX,
      JWT_PRIVATE_KEY: variable('JWT_PRIVATE_KEY') ?? keptSecret(keyFile, newSigningKey),
      ENCRYPTION_KEYS: variable('ENCRYPTION_KEYS') ?? `local:${this.keptKey(ENCRYPTION_KEY_FILE)}`,
      BLIND_INDEX_KEY: variable('BLIND_INDEX_KEY') ?? this.keptKey(INDEX_KEY_FILE),
      GEO_LOCAL_PLACE: variable('GEO_LOCAL_PLACE') ?? 'US-CO',
      SPORTS_FEEDS: variable('SPORTS_FEEDS') ?? 'replay', // so that there are always games about to begin
      LOG_LEVEL: variable('LOG_LEVEL') ?? 'info', // of the files; the screen shows warnings and errors
      // Signing up and in counts by address, 10 a minute: the first start and somebody who tries things out
      // are one address, and would be refused after a minute's play.
      RATE_LIMIT_FACTOR: variable('RATE_LIMIT_FACTOR') ?? '10',
    };
  }

  private keptKey(file: string): string {
    return keptSecret(join(this.dataDir, file), newSymmetricKey);
  }

  private async startProcesses(given: NodeJS.ProcessEnv, ports: Ports): Promise<void> {
    const { screen, lifetime, dataDir } = this;
    const here = `http://127.0.0.1:${ports.api}`;
    const env = { ...given, SANDBOX_URL: variable('SANDBOX_URL') ?? variable('PUBLIC_URL') ?? here };
    const logFile = (name: string): string => join(dataDir, 'logs', `${name}.log`);
    this.processes = [
      new ProductProcess({ name: 'API', port: ports.api, env, logFile: logFile('api') }, screen),
      new ProductProcess({ name: 'worker', port: ports.worker, env, logFile: logFile('worker') }, screen),
    ];
    for (const one of this.processes) lifetime.own(one);
    writeClaim(join(dataDir, CLAIM_FILE), this.processes);
    writeEnvironment(join(dataDir, ENVIRONMENT_FILE), env);
    await Promise.all(this.processes.map((one) => one.ready(lifetime)));
  }

  private watch(url: string, env: NodeJS.ProcessEnv, ports: Ports): void {
    const { screen, lifetime } = this;
    watchSources({
      screen,
      signal: lifetime.signal,
      restart: async (migrate) => {
        for (const one of this.processes) await one.stop();
        lifetime.check();
        if (migrate) await runTool(['dist/src/cli/migrate.js'], { DATABASE_URL: url }, lifetime.signal);
        await screen.step('Restarting API and worker', () => this.startProcesses(env, ports));
        this.tellOfDeaths();
      },
    });
    this.tellOfDeaths();
    screen.line('Watching src, config and migrations.');
  }

  /** While somebody edits, a process that dies is told and not the end: the next change starts it again. */
  private tellOfDeaths(): void {
    for (const one of this.processes)
      one.unexpectedEnd().then(
        ({ message }) => this.screen.error(message),
        () => undefined,
      );
  }

  /** Until somebody stops it, or a process dies by itself. */
  private async untilStopped(): Promise<void> {
    const deaths = this.options.watch ? [] : this.processes.map((one) => one.unexpectedEnd());
    await Promise.race([...deaths.map(async (death) => Promise.reject(await death)), this.stopped()]);
  }

  private async stopped(): Promise<void> {
    for (;;) await this.lifetime.sleep(DAY_MS);
  }

  /** The port that a variable names, or else the next free one, which is told. */
  private async port(name: string, preferred: number, user: string, except: number): Promise<number> {
    const wanted = portVariable(name, preferred);
    let { port } = await freePort(wanted);
    if (port === except) ({ port } = await freePort(port + 1));
    if (port !== wanted && wanted !== 0)
      this.screen.line(`Port ${wanted} is in use: the ${user} takes ${port} instead (${name} sets another).`);
    return port;
  }
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: { watch: { type: 'boolean', default: false }, fresh: { type: 'boolean', default: false } },
  });
  return values;
}
