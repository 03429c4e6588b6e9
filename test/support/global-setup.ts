import { fork, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ServicesMessage } from './services.js';

/** Where the teardown, which runs in this process as a module of its own, finds what the setup started. */
export interface ServicesHolder {
  parleyTestServices?: ChildProcess | undefined;
}

/** What is used of Jest's global configuration. */
interface GlobalConfig {
  testPathPatterns?: { patterns?: string[] };
}

/** The projects whose tests need Postgres and Redis, and where their files are. */
const PROJECTS_WITH_SERVICES = [
  { name: 'integration', suffix: '.int-spec.ts' },
  { name: 'e2e', suffix: '.e2e-spec.ts' },
];
const TESTS = join(import.meta.dirname, '..');

/**
 * Starts one Postgres and one Redis for the run, in a process of their own (`services.ts`), and passes their
 * addresses to the test workers as PARLEY_TEST_PG_URL and PARLEY_TEST_REDIS_URL, with PARLEY_TEST_FOLDER for files. With TEST_DATABASE_URL and
 * TEST_REDIS_URL set those servers are used; when no test of the run needs any, none is started.
 */
export default async function globalSetup(config: GlobalConfig): Promise<void> {
  const holder = globalThis as ServicesHolder;
  if (holder.parleyTestServices) return;

  const { TEST_DATABASE_URL, TEST_REDIS_URL } = process.env;
  if (Boolean(TEST_DATABASE_URL) !== Boolean(TEST_REDIS_URL)) {
    throw new Error(
      'Set both TEST_DATABASE_URL and TEST_REDIS_URL, or neither to have both servers started.',
    );
  }
  // Of an outer run: not this one's servers.
  delete process.env.PARLEY_TEST_PG_URL;
  delete process.env.PARLEY_TEST_REDIS_URL;
  if (!needsServices(process.argv.slice(2), config.testPathPatterns?.patterns ?? [])) return;

  const services = fork(join(import.meta.dirname, 'services.ts'), {
    execArgv: ['--import', new URL('typescript-hooks.ts', import.meta.url).href],
    // In its own process group Ctrl-C does not reach it; it stops in order when the channel to Jest closes.
    detached: true,
    cwd: join(TESTS, '..'),
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const message = await firstMessage(services);
  if ('error' in message) {
    services.disconnect();
    throw new Error(`The servers of the tests did not start: ${message.error}`);
  }
  // Left to run, but no reason for Jest's process to stay.
  services.unref();
  services.channel?.unref();
  holder.parleyTestServices = services;
  process.env.PARLEY_TEST_PG_URL = message.postgresUrl;
  process.env.PARLEY_TEST_REDIS_URL = message.redisUrl;
  process.env.PARLEY_TEST_FOLDER = message.folder;
}

/** Whether the run can include a test of a project with services, by its selected projects and path patterns. */
function needsServices(argv: string[], patterns: string[]): boolean {
  const selected = optionValues(argv, '--selectProjects');
  const ignored = optionValues(argv, '--ignoreProjects');
  const matches = patterns.map((pattern) => new RegExp(pattern, 'i'));
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).map((file) => join(TESTS, file));
  return PROJECTS_WITH_SERVICES.some(
    ({ name, suffix }) =>
      (selected.length === 0 || selected.includes(name)) &&
      !ignored.includes(name) &&
      files.some(
        (file) =>
          file.endsWith(suffix) && (matches.length === 0 || matches.some((match) => match.test(file))),
      ),
  );
}

/** The values of an option that takes several: `--name a b` or `--name=a`. */
function optionValues(argv: string[], name: string): string[] {
  const values: string[] = [];
  let open = false;
  for (const word of argv) {
    if (word.startsWith(`${name}=`)) values.push(word.slice(name.length + 1));
    else if (word.startsWith('-')) open = word === name;
    else if (open) values.push(word);
  }
  return values;
}

function firstMessage(services: ChildProcess): Promise<ServicesMessage> {
  return new Promise((resolve, reject) => {
    services.once('message', (message) => resolve(message as ServicesMessage));
    services.once('error', reject);
    services.once('exit', (code, signal) =>
      reject(new Error(`The servers of the tests ended while starting (${signal ?? `code ${code}`}).`)),
    );
  });
}
