import { type DynamicModule, Module } from '@nestjs/common';
import { floors } from './app.module.js';
import { AuthModule } from './modules/auth/auth.module.js';
import { AuthMailsModule } from './modules/auth/mail/auth-mails.module.js';
import { OtpProcessor } from './modules/auth/otp/otp.processor.js';
import { WeeksProcessor } from './modules/pools/weeks.processor.js';
import { PoolsModule } from './modules/pools/pools.module.js';
import { LostWorkSweeper } from './modules/settlement/lost-work.sweeper.js';
import { SettlementModule } from './modules/settlement/settlement.module.js';
import { SettlementProcessor } from './modules/settlement/settlement.processor.js';
import { SportsModule } from './modules/sports/sports.module.js';
import { SportsProcessor } from './modules/sports/sports.processor.js';
import { AccountPrivacyModule } from './modules/users/privacy/account-privacy.module.js';
import { ErasureProcessor } from './modules/users/privacy/erasure.processor.js';
import { ExportsProcessor } from './modules/users/privacy/exports.processor.js';
import { StandingProcessor } from './modules/users/standing/standing.processor.js';
import { UsersModule } from './modules/users/users.module.js';
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
        PoolsModule,
        SportsModule,
        SettlementModule,
      ],
      providers: [
        OtpProcessor,
        WeeksProcessor,
        SportsProcessor,
        SettlementProcessor,
        LostWorkSweeper,
        StandingProcessor,
        ExportsProcessor,
        ErasureProcessor,
      ],
    };
  }
}
