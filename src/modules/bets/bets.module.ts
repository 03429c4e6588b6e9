import { Module } from '@nestjs/common';
import { ComplianceModule } from '../compliance/compliance.module.js';
import { PoolsModule } from '../pools/pools.module.js';
import { SportsModule } from '../sports/sports.module.js';
import { UsersModule } from '../users/users.module.js';
import { BetHistoryRepository } from './bet-history.repository.js';
import { BetPages } from './bet-pages.js';
import { BetsController } from './bets.controller.js';
import { BetsGradingService } from './bets-grading.service.js';
import { BetsPersonalData } from './bets-personal-data.repository.js';
import { BetsPlayedRepository } from './bets-played.repository.js';
import { BetsPlayedService } from './bets-played.service.js';
import { BetsRefundsService } from './bets-refunds.service.js';
import { BetsRepository } from './bets.repository.js';
import { BetsService } from './bets.service.js';
import { CancellingService } from './cancelling.service.js';
import { PlacingService } from './placing.service.js';
import { QuotesService } from './quotes.service.js';
import { SharedBetsController } from './shared-bets.controller.js';
import { SharingService } from './sharing.service.js';
import { SlipsRepository } from './slips.repository.js';
import { StakeLimitsAdminController } from './stake-limits-admin.controller.js';
import { StakeLimitsRepository } from './stake-limits.repository.js';
import { StakeLimitsService } from './stake-limits.service.js';

@Module({
  imports: [ComplianceModule, PoolsModule, SportsModule, UsersModule],
  controllers: [BetsController, SharedBetsController, StakeLimitsAdminController],
  providers: [
    BetPages,
    PlacingService,
    QuotesService,
    CancellingService,
    SharingService,
    StakeLimitsService,
    BetsService,
    BetsGradingService,
    BetsRefundsService,
    BetsRepository,
    BetHistoryRepository,
    SlipsRepository,
    StakeLimitsRepository,
    BetsPersonalData,
    BetsPlayedRepository,
    BetsPlayedService,
  ],
  exports: [BetsGradingService],
})
export class BetsModule {}
