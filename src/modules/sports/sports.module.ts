import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Game } from './entities/game.entity.js';
import { Market } from './entities/market.entity.js';
import { GameDeadlinesService } from './game-deadlines.service.js';
import { GamesController } from './games.controller.js';
import { GamesRepository } from './games.repository.js';
import { GamesService } from './games.service.js';
import { ImportRepository } from './import.repository.js';
import { ImportService } from './import.service.js';
import { MarketBetsPort } from './market-bets.port.js';
import { MarketVoidsRepository } from './market-voids.repository.js';
import { MarketVoidsService } from './market-voids.service.js';
import { MarketsController } from './markets.controller.js';
import { MarketsService } from './markets.service.js';
import { GameChanges } from './odds/game-changes.js';
import { MarketOffersController } from './odds/market-offers.controller.js';
import { MarketOffersService } from './odds/market-offers.service.js';
import { OddsHistoryService } from './odds/odds-history.service.js';
import { OddsIntakeService } from './odds/odds-intake.service.js';
import { OddsRepository } from './odds/odds.repository.js';
import { ResultConfirmationsService } from './result-confirmations.service.js';
import { ResultsService } from './results.service.js';
import { SettledWeeksPort } from './settled-weeks.port.js';
import { SlateCache } from './slate-cache.js';
import { SlateIntakeService } from './slate-intake.service.js';
import { SportsAdminController } from './sports-admin.controller.js';
import { SportsPersonalData } from './sports-personal-data.repository.js';

@Module({
  imports: [TypeOrmModule.forFeature([Game, Market])],
  controllers: [GamesController, MarketsController, MarketOffersController, SportsAdminController],
  providers: [
    GameDeadlinesService,
    GamesService,
    MarketsService,
    ResultConfirmationsService,
    ResultsService,
    ImportService,
    GamesRepository,
    GameChanges,
    OddsRepository,
    OddsIntakeService,
    OddsHistoryService,
    MarketOffersService,
    ImportRepository,
    SlateIntakeService,
    SlateCache,
    MarketBetsPort,
    MarketVoidsService,
    MarketVoidsRepository,
    SportsPersonalData,
    SettledWeeksPort,
  ],
  exports: [
    GameChanges,
    OddsRepository,
    OddsIntakeService,
    MarketBetsPort,
    SettledWeeksPort,
    GamesService,
    MarketsService,
    ResultsService,
    ImportService,
    SlateIntakeService,
    SlateCache,
  ],
})
export class SportsModule {}
