import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Game } from './entities/game.entity.js';
import { Market } from './entities/market.entity.js';
import { GamesController } from './games.controller.js';
import { GamesRepository } from './games.repository.js';
import { GamesService } from './games.service.js';
import { ImportRepository } from './import.repository.js';
import { ImportService } from './import.service.js';
import { MarketsService } from './markets.service.js';
import { ResultsService } from './results.service.js';
import { SlateCache } from './slate-cache.js';
import { SportsAdminController } from './sports-admin.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([Game, Market])],
  controllers: [GamesController, SportsAdminController],
  providers: [
    GamesService,
    MarketsService,
    ResultsService,
    ImportService,
    GamesRepository,
    ImportRepository,
    SlateCache,
  ],
  exports: [GamesService, MarketsService, ResultsService, ImportService],
})
export class SportsModule {}
