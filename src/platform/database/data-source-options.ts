import type { DataSourceOptions } from 'typeorm';

export interface DatabaseSettings {
  url: string;
  poolSize: number;
  connectTimeoutMs: number;
  applicationName: string;
  /** Milliseconds after which the server gives up a statement (default 60,000); the client waits two seconds longer. */
  statementTimeoutMs?: number;
}

const STATEMENT_TIMEOUT_MS = 60_000;
/** How much longer than the server the client waits: a server that has given a statement up says so itself. */
export const ANSWER_MARGIN_MS = 2_000;

/**
 * The one description of how this project talks to Postgres, for the application and the migration command.
 * Snake-case columns are named in the entities; the schema is the migrations', never `synchronize`.
 */
export function dataSourceOptions(settings: DatabaseSettings): DataSourceOptions {
  const { statementTimeoutMs = STATEMENT_TIMEOUT_MS } = settings;
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
      keepAliveInitialDelayMillis: 10_000,
      idleTimeoutMillis: 30_000,
      // A statement that a dead peer never answers must not hold a connection for ever.
      query_timeout: statementTimeoutMs + ANSWER_MARGIN_MS,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: 60_000,
    },
  };
}
