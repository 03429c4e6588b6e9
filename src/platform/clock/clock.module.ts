import { Global, Module } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { Database } from '../database/database.js';
import { RedisConnections } from '../redis/redis-connections.js';
import { Clock } from './clock.js';
import { MovableClock } from './movable-clock.js';

@Global()
@Module({
  providers: [
    {
      provide: Clock,
      inject: [AppConfig, Database, RedisConnections],
      useFactory: (config: AppConfig, database: Database, redis: RedisConnections) =>
        config.CLOCK_MODE === 'movable' ? new MovableClock(database, redis, config) : new Clock(),
    },
  ],
  exports: [Clock],
})
export class ClockModule {}
