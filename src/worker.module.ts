import { type DynamicModule, Module } from '@nestjs/common';
import { floors } from './app.module.js';
import { AuthModule } from './modules/auth/auth.module.js';
import { AuthMailsModule } from './modules/auth/mail/auth-mails.module.js';
import { OtpProcessor } from './modules/auth/otp/otp.processor.js';
import { ComplianceModule } from './modules/compliance/compliance.module.js';
import { KycModule } from './modules/compliance/kyc/kyc.module.js';
import { KycProcessor } from './modules/compliance/kyc/kyc.processor.js';
import { MarkersProcessor } from './modules/compliance/markers/markers.processor.js';
import { RealityChecksProcessor } from './modules/compliance/reality-checks/reality-checks.processor.js';
import { SelfExclusionProcessor } from './modules/compliance/self-exclusion.processor.js';
import { PaymentsModule } from './modules/payments/payments.module.js';
import { PaymentsProcessor } from './modules/payments/payments.processor.js';
import { PaymentsSweeper } from './modules/payments/payments.sweeper.js';
import { sandboxIsOn } from './modules/payments/providers/sandbox/sandbox-settings.js';
import { SandboxModule } from './modules/payments/providers/sandbox/sandbox.module.js';
import { SandboxProcessor } from './modules/payments/providers/sandbox/sandbox.processor.js';
import { WithdrawalNoticesProcessor } from './modules/payments/withdrawals/withdrawal-notices.processor.js';
import { WithdrawalsModule } from './modules/payments/withdrawals/withdrawals.module.js';
import { WithdrawalsProcessor } from './modules/payments/withdrawals/withdrawals.processor.js';
import { LeavingProcessor } from './modules/pools/leaving.processor.js';
import { WeeksProcessor } from './modules/pools/weeks.processor.js';
import { PoolsModule } from './modules/pools/pools.module.js';
import { LostWorkSweeper } from './modules/settlement/lost-work.sweeper.js';
import { SettlementModule } from './modules/settlement/settlement.module.js';
import { SettlementProcessor } from './modules/settlement/settlement.processor.js';
import { OddsDaysService } from './modules/sports/odds/odds-days.service.js';
import { FeedRunner } from './modules/sports/feeds/feed-runner.js';
import { FeedsModule } from './modules/sports/feeds/feeds.module.js';
import { StaleMarketsSweeper } from './modules/sports/feeds/stale-markets.sweeper.js';
import { SportsModule } from './modules/sports/sports.module.js';
import { SportsProcessor } from './modules/sports/sports.processor.js';
import { AccountPrivacyModule } from './modules/users/privacy/account-privacy.module.js';
import { ErasureProcessor } from './modules/users/privacy/erasure.processor.js';
import { ExportsProcessor } from './modules/users/privacy/exports.processor.js';
import { StandingProcessor } from './modules/users/standing/standing.processor.js';
import { UsersModule } from './modules/users/users.module.js';
import { LedgerUpkeep } from './modules/wallet/ledger.upkeep.js';
import { VerifyProcessor } from './modules/wallet/verify.processor.js';
import { WalletUpdatesProcessor } from './modules/wallet/wallet-updates.processor.js';
import { WalletModule } from './modules/wallet/wallet.module.js';
import type { AppConfig } from './platform/config/app-config.js';
import { PlatformWorkerModule } from './platform/jobs/worker.module.js';

/** The worker process: relay, deadlines, queues. An application context: the controllers are not served. */
@Module({})
export class WorkerModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        ...floors(config, 'parley-worker'),
        PlatformWorkerModule,
        UsersModule,
        AccountPrivacyModule,
        AuthModule,
        AuthMailsModule,
        ComplianceModule,
        KycModule,
        PaymentsModule,
        SandboxModule.forRoot(config),
        WithdrawalsModule,
        PoolsModule,
        SportsModule,
        FeedsModule,
        SettlementModule,
        WalletModule,
      ],
      providers: [
        OtpProcessor,
        SelfExclusionProcessor,
        KycProcessor,
        RealityChecksProcessor,
        MarkersProcessor,
        WeeksProcessor,
        LeavingProcessor,
        SportsProcessor,
        FeedRunner,
        StaleMarketsSweeper,
        OddsDaysService,
        SettlementProcessor,
        LostWorkSweeper,
        StandingProcessor,
        ExportsProcessor,
        ErasureProcessor,
        PaymentsProcessor,
        PaymentsSweeper,
        LedgerUpkeep,
        WalletUpdatesProcessor,
        VerifyProcessor,
        WithdrawalsProcessor,
        WithdrawalNoticesProcessor,
        ...(sandboxIsOn(config) ? [SandboxProcessor] : []),
      ],
    };
  }
}
