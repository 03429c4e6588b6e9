import { Module } from '@nestjs/common';
import { ComplianceModule } from '../compliance/compliance.module.js';
import { PoolsModule } from '../pools/pools.module.js';
import { BetPages } from './bet-pages.js';
import { BetsController } from './bets.controller.js';
import { BetsGradingService } from './bets-grading.service.js';
import { BetsPersonalData } from './bets-personal-data.repository.js';
import { BetsPlayedRepository } from './bets-played.repository.js';
import { BetsPlayedService } from './bets-played.service.js';
import { BetsRefundsService } from './bets-refunds.service.js';
import { BetsRepository } from './bets.repository.js';
import { BetsService } from './bets.service.js';
import { PlacingService } from './placing.service.js';

@Module({
  imports: [ComplianceModule, PoolsModule],
  controllers: [BetsController],
  providers: [
    BetPages,
    PlacingService,
    BetsService,
    BetsGradingService,
    BetsRefundsService,
    BetsRepository,
    BetsPersonalData,
    BetsPlayedRepository,
    BetsPlayedService,
  ],
  exports: [BetsGradingService],
})
export class BetsModule {}
