import { Module } from '@nestjs/common';
import { SportsModule } from '../sports.module.js';
import { ConfiguredFeeds } from './configured-feeds.js';
import { FeedDoubtsService } from './feed-doubts.service.js';
import { FeedOddsService } from './feed-odds.service.js';
import { FeedQuarantineRepository } from './feed-quarantine.repository.js';
import { FeedQuarantineService } from './feed-quarantine.service.js';
import { FeedWordsRepository } from './feed-words.repository.js';
import { FeedsAdminController } from './feeds-admin.controller.js';
import { FeedsPersonalData } from './feeds-personal-data.repository.js';
import { FeedsRepository } from './feeds.repository.js';
import { FeedsService } from './feeds.service.js';
import { FeedIntakeService } from './intake.service.js';

/** What feeds say on its way into sports, and what operators see of it. The worker runs them. */
@Module({
  imports: [SportsModule],
  controllers: [FeedsAdminController],
  providers: [
    ConfiguredFeeds,
    FeedIntakeService,
    FeedOddsService,
    FeedDoubtsService,
    FeedQuarantineService,
    FeedsService,
    FeedsRepository,
    FeedWordsRepository,
    FeedQuarantineRepository,
    FeedsPersonalData,
  ],
  exports: [ConfiguredFeeds, FeedIntakeService, FeedDoubtsService, FeedsRepository],
})
export class FeedsModule {}
