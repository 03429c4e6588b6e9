import { type DynamicModule, Module } from '@nestjs/common';
import { floors } from './app.module.js';
import { WeeksProcessor } from './modules/pools/weeks.processor.js';
import { PoolsModule } from './modules/pools/pools.module.js';
import { LostWorkSweeper } from './modules/settlement/lost-work.sweeper.js';
import { SettlementModule } from './modules/settlement/settlement.module.js';
import { SettlementProcessor } from './modules/settlement/settlement.processor.js';
import { SportsModule } from './modules/sports/sports.module.js';
import { SportsProcessor } from './modules/sports/sports.processor.js';
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
        PoolsModule,
        SportsModule,
        SettlementModule,
      ],
      providers: [WeeksProcessor, SportsProcessor, SettlementProcessor, LostWorkSweeper],
    };
  }
}
