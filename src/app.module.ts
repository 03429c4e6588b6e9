import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { AuthGuard } from './modules/auth/auth.guard.js';
import { AuthAdminModule } from './modules/auth/admin/auth-admin.module.js';
import { AuthModule } from './modules/auth/auth.module.js';
import { OAuthModule } from './modules/auth/oauth/oauth.module.js';
import { PermissionsGuard } from './modules/auth/permissions.guard.js';
import { BetsModule } from './modules/bets/bets.module.js';
import { ComplianceGuard } from './modules/compliance/compliance.guard.js';
import { ComplianceModule } from './modules/compliance/compliance.module.js';
import { KycModule } from './modules/compliance/kyc/kyc.module.js';
import { NotificationsModule } from './modules/notifications/notifications.module.js';
import { PaymentsModule } from './modules/payments/payments.module.js';
import { SandboxModule } from './modules/payments/providers/sandbox/sandbox.module.js';
import { WithdrawalsModule } from './modules/payments/withdrawals/withdrawals.module.js';
import { PoolsModule } from './modules/pools/pools.module.js';
import { SettlementModule } from './modules/settlement/settlement.module.js';
import { OddsSocketsModule } from './modules/sports/odds/odds-sockets.module.js';
import { FeedsModule } from './modules/sports/feeds/feeds.module.js';
import { SportsModule } from './modules/sports/sports.module.js';
import { DevicesModule } from './modules/users/devices/devices.module.js';
import { AccountPrivacyModule } from './modules/users/privacy/account-privacy.module.js';
import { PeopleModule } from './modules/users/people.module.js';
import { UsersModule } from './modules/users/users.module.js';
import { WalletModule } from './modules/wallet/wallet.module.js';
import { AuditLogModule } from './platform/audit-log/audit-log.module.js';
import { ClockModule } from './platform/clock/clock.module.js';
import type { AppConfig } from './platform/config/app-config.js';
import { ConfigModule } from './platform/config/config.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { GeoModule } from './platform/geo/geo.module.js';
import { BodyGuard } from './platform/http/body.guard.js';
import { DomainErrorFilter } from './platform/http/domain-error.filter.js';
import { validationPipe } from './platform/http/validation.js';
import { JobsModule } from './platform/jobs/jobs.module.js';
import { OperatorModule } from './platform/jobs/operator.module.js';
import { LoggingModule } from './platform/observability/logging.module.js';
import { ObservabilityModule } from './platform/observability/observability.module.js';
import { PrivacyModule } from './platform/privacy/privacy.module.js';
import { RealtimeModule } from './platform/realtime/realtime.module.js';
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
    GeoModule,
    SecurityModule,
    RealtimeModule,
    PrivacyModule,
    AuditLogModule,
    UsersModule,
    PeopleModule,
    AccountPrivacyModule,
    DevicesModule,
    SportsModule,
    FeedsModule,
    WalletModule,
    ComplianceModule,
    KycModule,
    AuthModule,
    OAuthModule,
    AuthAdminModule,
    PaymentsModule,
    SandboxModule.forRoot(config),
    WithdrawalsModule,
    PoolsModule,
    BetsModule,
    SettlementModule,
  ];
}

/** The API process. The guards run in this order: flood, session, the subject's limit, rules of play, permission, no body where none is taken. */
@Module({})
export class AppModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      // Express tries routes in the order of the modules: those that an evening of betting asks most come first.
      imports: [
        SportsModule,
        BetsModule,
        ...floors(config, 'parley-api'),
        OperatorModule.forRoot(config),
        NotificationsModule,
        OddsSocketsModule,
      ],
      providers: [
        { provide: APP_GUARD, useClass: FloodGuard },
        { provide: APP_GUARD, useExisting: AuthGuard },
        { provide: APP_GUARD, useClass: TierGuard },
        { provide: APP_GUARD, useExisting: ComplianceGuard },
        { provide: APP_GUARD, useExisting: PermissionsGuard },
        { provide: APP_GUARD, useClass: BodyGuard },
        { provide: APP_PIPE, useFactory: validationPipe },
        { provide: APP_FILTER, useClass: DomainErrorFilter },
      ],
    };
  }
}
