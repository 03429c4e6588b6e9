import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { Client } from 'pg';
import { TEMPLATE_DATABASE } from './template-database.js';

export interface TestDatabase {
  url: string;
  name: string;
  /** Removes the database, ending the sessions that are still open on it. */
  drop(): Promise<void>;
}

/** Redis databases that are given to workers; the servers of the tests have 64. */
const REDIS_DATABASES = 60;
const CLONE_TIMEOUT_MS = 20_000;
const OBJECT_IN_USE = '55006';

/**
 * A database of the caller's own, with the schema of all migrations and no rows.
 * @throws Error when the run has no servers, as one of unit tests only.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = serviceUrl('PARLEY_TEST_PG_URL');
  const name = `parley_test_${worker()}_${randomBytes(4).toString('hex')}`;
  await asAdmin(adminUrl, (client) => clone(client, name));
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name,
    drop: () =>
      asAdmin(adminUrl, async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

/**
 * This worker's Redis database, and a prefix that no other caller has, for keys and channels: publish and subscribe
 * take no notice of database numbers.
 */
export function testRedis(): { url: string; prefix: string } {
  const url = new URL(serviceUrl('PARLEY_TEST_REDIS_URL'));
  url.pathname = `/${worker() % REDIS_DATABASES}`;
  return { url: url.href, prefix: `test:${worker()}:${randomBytes(4).toString('hex')}:` };
}

/** FILE_COPY is the fast way for a small template on a server that does not wait for the disk. */
async function clone(client: Client, name: string): Promise<void> {
  const deadline = Date.now() + CLONE_TIMEOUT_MS;
  for (;;) {
    try {
      await client.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE} STRATEGY FILE_COPY`);
      return;
    } catch (error) {
      const busy = error instanceof Error && 'code' in error && error.code === OBJECT_IN_USE;
      if (!busy || Date.now() > deadline) throw error;
      await sleep(50 + Math.random() * 100);
    }
  }
}

async function asAdmin(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function worker(): number {
  return threadId;
}

function serviceUrl(name: 'PARLEY_TEST_PG_URL' | 'PARLEY_TEST_REDIS_URL'): string {
  const url = process.env[name];
  if (!url) {
    throw new Error(
      `${name} is not set: no servers run for these tests. Tests that need them belong in test/integration ` +
        'or test/e2e, and are run by Jest with its global setup.',
    );
  }
  return url;
}
