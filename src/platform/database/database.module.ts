import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Pool } from 'pg';
import { AppConfig } from '../config/app-config.js';
import { dataSourceOptions } from './data-source-options.js';
import { Database } from './database.js';
import { UnitOfWork } from './unit-of-work.js';

@Global()
@Module({})
export class DatabaseModule {
  static forRoot(applicationName: string): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [AppConfig],
          useFactory: (config: AppConfig) => ({
            ...dataSourceOptions({
              url: config.DATABASE_URL,
              poolSize: config.DATABASE_POOL_SIZE,
              connectTimeoutMs: config.DATABASE_CONNECT_TIMEOUT_MS,
              applicationName,
              // Only the API has callers who wait.
              ...(applicationName === 'parley-api'
                ? { statementTimeoutMs: config.DATABASE_STATEMENT_TIMEOUT_MS }
                : {}),
            }),
            autoLoadEntities: true,
            retryAttempts: 10,
            retryDelay: 1000,
          }),
          dataSourceFactory: async (options) => {
            if (!options) throw new Error('TypeORM was given no options');
            const dataSource = await new DataSource(options).initialize();
            // An idle connection that the server drops is an event, not a crash: the pool opens another.
            const pool = (dataSource.driver as unknown as { master: Pool }).master;
            pool.on('error', (error) =>
              new Logger('Database').warn(`idle connection lost: ${error.message}`),
            );
            // Nor is one that is dropped in the moment before its borrower listens: what is asked of it next fails.
            pool.on('connect', (client) => client.on('error', () => undefined));
            return dataSource;
          },
        }),
      ],
      providers: [Database, UnitOfWork],
      exports: [Database, UnitOfWork],
    };
  }
}
