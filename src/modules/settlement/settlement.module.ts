import { Module } from '@nestjs/common';
import { BetsModule } from '../bets/bets.module.js';
import { PoolsModule } from '../pools/pools.module.js';
import { SportsModule } from '../sports/sports.module.js';
import { SettlementAdminController } from './settlement-admin.controller.js';
import { SettledWeeksService } from './settled-weeks.service.js';
import { SettlementProgressService } from './settlement-progress.service.js';
import { SettlementRepository } from './settlement.repository.js';
import { SettlementService } from './settlement.service.js';
import { WeekSettlementService } from './week-settlement.service.js';

@Module({
  imports: [BetsModule, PoolsModule, SportsModule],
  controllers: [SettlementAdminController],
  providers: [
    SettlementService,
    SettlementProgressService,
    SettledWeeksService,
    WeekSettlementService,
    SettlementRepository,
  ],
  exports: [SettlementService, WeekSettlementService, SettlementRepository],
})
export class SettlementModule {}
