import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../platform/config/app-config.js';
import type { FeedName } from '../../../platform/config/feeds-config.js';
import { Rules } from '../../../platform/config/rules.js';
import { Clock } from '../../../platform/clock/clock.js';
import { CsvFeed } from './csv/csv-feed.js';
import { OddsApiFeed } from './odds-api/odds-api-feed.js';
import { readReplaySeason } from './replay/replay-season.js';
import { ReplayFeed } from './replay/replay-feed.js';
import type { SportsFeed } from './sports-feed.js';

/** Makes the feeds that `SPORTS_FEEDS` names. */
@Injectable()
export class ConfiguredFeeds {
  constructor(
    private readonly config: AppConfig,
    private readonly rules: Rules,
    private readonly clock: Clock,
  ) {}

  async make(): Promise<SportsFeed[]> {
    return await Promise.all(this.config.SPORTS_FEEDS.map((name) => this.makers[name]()));
  }

  private readonly makers: Record<FeedName, () => Promise<SportsFeed>> = {
    replay: async () => {
      const { replay } = this.rules.sports;
      return new ReplayFeed(await readReplaySeason(replay.files, replay.everyMinutes), replay, this.clock);
    },
    'odds-api': async () => new OddsApiFeed(this.config, this.rules, this.clock),
    csv: async () => new CsvFeed(this.config.SPORTS_CSV_DIR ?? '', this.clock),
  };
}
