import { DataSource } from 'typeorm';
import { dataSourceOptions } from './src/platform/database/data-source-options.js';
import { loadMigrations } from './src/platform/database/migrate.js';

/** The DataSource of the migration commands; the application builds its own from the same options. */
export const dataSource = new DataSource({
  ...dataSourceOptions({
    url: process.env['DATABASE_DIRECT_URL'] ?? process.env['DATABASE_URL'] ?? '',
    poolSize: 2,
    connectTimeoutMs: 10_000,
    applicationName: 'parley-migrate',
  }),
  migrations: await loadMigrations(),
});
