import { Module } from '@nestjs/common';
import { PoolsModule } from '../pools/pools.module.js';
import { BetsController } from './bets.controller.js';
import { BetsGradingService } from './bets-grading.service.js';
import { BetsRepository } from './bets.repository.js';
import { BetsService } from './bets.service.js';

@Module({
  imports: [PoolsModule],
  controllers: [BetsController],
  providers: [BetsService, BetsGradingService, BetsRepository],
  exports: [BetsGradingService],
})
export class BetsModule {}
