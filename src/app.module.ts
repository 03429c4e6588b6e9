import {
  type DynamicModule,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AuthGuard } from './modules/auth/auth.guard.js';
import { AuthModule } from './modules/auth/auth.module.js';
import { RolesGuard } from './modules/auth/roles.guard.js';
import { BetsModule } from './modules/bets/bets.module.js';
import { ComplianceModule } from './modules/compliance/compliance.module.js';
import { PoolsModule } from './modules/pools/pools.module.js';
import { SettlementModule } from './modules/settlement/settlement.module.js';
import { SportsModule } from './modules/sports/sports.module.js';
import { UsersModule } from './modules/users/users.module.js';
import { ClockModule } from './platform/clock/clock.module.js';
import type { AppConfig } from './platform/config/app-config.js';
import { ConfigModule } from './platform/config/config.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { bodyMiddleware } from './platform/http/body.middleware.js';
import { DomainErrorFilter } from './platform/http/domain-error.filter.js';
import { EnvelopeInterceptor } from './platform/http/envelope.interceptor.js';
import { validationPipe } from './platform/http/validation.js';
import { JobsModule } from './platform/jobs/jobs.module.js';
import { OperatorModule } from './platform/jobs/operator.module.js';
import { LoggingModule } from './platform/observability/logging.module.js';
import { ObservabilityModule } from './platform/observability/observability.module.js';
import { RedisModule } from './platform/redis/redis.module.js';
import { FloodGuard, TierGuard } from './platform/security/rate-limit.guards.js';
import { SecurityModule } from './platform/security/security.module.js';

/** Both floors, for the API and the worker alike. */
export function floors(config: AppConfig, applicationName: string): (Type<unknown> | DynamicModule)[] {
  return [
    ConfigModule.forRoot(config),
    LoggingModule,
    RedisModule,
    DatabaseModule.forRoot(applicationName),
    ClockModule,
    JobsModule,
    ObservabilityModule,
    SecurityModule,
    UsersModule,
    SportsModule,
    ComplianceModule,
    AuthModule,
    PoolsModule,
    BetsModule,
    SettlementModule,
  ];
}

/** The API process. The guards run in this order: flood, session, the subject's limit, role. */
@Module({})
export class AppModule implements NestModule {
  /** Behind the request's id, log and figures, which belong to the global floors and therefore run first. */
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(...bodyMiddleware).forRoutes('{*path}');
  }

  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [...floors(config, 'parley-api'), OperatorModule.forRoot(config)],
      providers: [
        { provide: APP_GUARD, useClass: FloodGuard },
        { provide: APP_GUARD, useExisting: AuthGuard },
        { provide: APP_GUARD, useClass: TierGuard },
        { provide: APP_GUARD, useExisting: RolesGuard },
        { provide: APP_PIPE, useFactory: validationPipe },
        { provide: APP_FILTER, useClass: DomainErrorFilter },
        { provide: APP_INTERCEPTOR, useClass: EnvelopeInterceptor },
      ],
    };
  }
}
