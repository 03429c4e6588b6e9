import { Module } from '@nestjs/common';
import { PoolsModule } from '../pools/pools.module.js';
import { BetPages } from './bet-pages.js';
import { BetsController } from './bets.controller.js';
import { BetsGradingService } from './bets-grading.service.js';
import { BetsPersonalData } from './bets-personal-data.repository.js';
import { BetsRepository } from './bets.repository.js';
import { BetsService } from './bets.service.js';
import { PlacingService } from './placing.service.js';

@Module({
  imports: [PoolsModule],
  controllers: [BetsController],
  providers: [BetPages, PlacingService, BetsService, BetsGradingService, BetsRepository, BetsPersonalData],
  exports: [BetsGradingService],
})
export class BetsModule {}
