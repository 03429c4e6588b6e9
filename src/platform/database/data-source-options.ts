import type { DataSourceOptions } from 'typeorm';

export interface DatabaseSettings {
  url: string;
  poolSize: number;
  connectTimeoutMs: number;
  applicationName: string;
}

/**
 * The one description of how this project talks to Postgres, for the application and the migration command.
 * Snake-case columns are named in the entities; the schema is the migrations', never `synchronize`.
 */
export function dataSourceOptions(settings: DatabaseSettings): DataSourceOptions {
  return {
    type: 'postgres',
    url: settings.url,
    applicationName: settings.applicationName,
    poolSize: settings.poolSize,
    connectTimeoutMS: settings.connectTimeoutMs,
    migrationsTableName: 'schema_migrations',
    migrationsTransactionMode: 'each',
    migrationsRun: false,
    logging: false,
    extra: {
      keepAlive: true,
      idleTimeoutMillis: 30_000,
      // A statement that a dead peer never answers must not hold a connection for ever.
      query_timeout: 120_000,
      statement_timeout: 60_000,
      idle_in_transaction_session_timeout: 60_000,
    },
  };
}
