import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Rules } from '../../../platform/config/rules.js';
import { ConfiguredFeeds } from './configured-feeds.js';
import { FeedDoubtsService } from './feed-doubts.service.js';
import { FeedFollower } from './feed-follower.js';
import { FeedsRepository } from './feeds.repository.js';
import { FeedIntakeService } from './intake.service.js';
import type { SportsFeed } from './sports-feed.js';

/** In the worker: follows the feeds that are configured, each by one worker at a time. */
@Injectable()
export class FeedRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly followers: FeedFollower[] = [];

  constructor(
    private readonly feeds: ConfiguredFeeds,
    private readonly repository: FeedsRepository,
    private readonly intake: FeedIntakeService,
    private readonly doubts: FeedDoubtsService,
    private readonly rules: Rules,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    for (const feed of await this.feeds.make()) this.follow(feed).start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.followers.map((follower) => follower.stop()));
  }

  /** One that is to be started. */
  follow(feed: SportsFeed): FeedFollower {
    const { repository, intake, doubts } = this;
    const follower = new FeedFollower(feed, { repository, intake, doubts, polls: this.rules.sports.polls });
    this.followers.push(follower);
    return follower;
  }
}
