import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DataSource, type MigrationInterface } from 'typeorm';
import { dataSourceOptions } from './data-source-options.js';

/** Folder of the migrations beside `src` (TypeScript in a test, compiled in `dist`). */
const MIGRATIONS = join(import.meta.dirname, '..', '..', '..', 'migrations');

export type MigrationClass = new () => MigrationInterface;

/** Every migration class of `migrations/`, in the order of the file names. */
export async function loadMigrations(): Promise<MigrationClass[]> {
  const files = readdirSync(MIGRATIONS)
    .filter((file) => /\.(ts|js)$/.test(file) && !file.endsWith('.d.ts'))
    .toSorted();
  const modules = await Promise.all(
    files.map(
      (file) => import(pathToFileURL(join(MIGRATIONS, file)).href) as Promise<Record<string, unknown>>,
    ),
  );
  return modules.flatMap((module) => Object.values(module).filter(isMigration));
}

function isMigration(value: unknown): value is MigrationClass {
  return (
    typeof value === 'function' && typeof (value.prototype as { up?: unknown } | undefined)?.up === 'function'
  );
}

/** Brings the schema up to date. Safe to run from several processes at once: an advisory lock lets one work. */
export async function runMigrations(databaseUrl: string): Promise<string[]> {
  const dataSource = new DataSource({
    ...dataSourceOptions({
      url: databaseUrl,
      poolSize: 2,
      connectTimeoutMs: 10_000,
      applicationName: 'parley-migrate',
    }),
    migrations: await loadMigrations(),
  });
  await dataSource.initialize();
  const lock = dataSource.createQueryRunner();
  try {
    await lock.query('SELECT pg_advisory_lock(4242000001)');
    const applied = await dataSource.runMigrations();
    await lock.query('SELECT audit_rebase()'); // a restored database: nothing writes to it yet
    return applied.map((migration) => migration.name);
  } finally {
    await lock.query('SELECT pg_advisory_unlock(4242000001)');
    await lock.release();
    await dataSource.destroy();
  }
}
