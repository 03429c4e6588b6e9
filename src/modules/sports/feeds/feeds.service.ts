import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { MetricsService } from '../../../platform/observability/metrics.service.js';
import type { FeedDto } from './dto/feeds.dto.js';
import { type FeedRow, FeedsRepository } from './feeds.repository.js';

/** How the feeds are, for operators and for the metrics. */
@Injectable()
export class FeedsService implements OnApplicationBootstrap {
  constructor(
    private readonly repository: FeedsRepository,
    private readonly clock: Clock,
    private readonly metrics: MetricsService,
  ) {}

  onApplicationBootstrap(): void {
    this.metrics.gauge(
      'parley_feed_lag_seconds',
      'Since a feed told prices last',
      ['source'],
      async (figure) => {
        for (const feed of await this.list())
          if (feed.lagSeconds !== null) figure.set({ source: feed.source }, feed.lagSeconds);
      },
    );
    this.metrics.gauge(
      'parley_feed_failures',
      'Failures of a feed since its last success',
      ['source', 'kind'],
      async (figure) => {
        for (const { source, polls } of await this.repository.list())
          for (const { kind, failures } of polls) figure.set({ source, kind }, failures);
      },
    );
    this.metrics.gauge(
      'parley_feed_quarantined',
      'What feeds said and nobody has decided about',
      ['source'],
      async (figure) => {
        for (const { source, quarantined } of await this.repository.list())
          figure.set({ source }, quarantined);
      },
    );
  }

  async list(): Promise<FeedDto[]> {
    const rows = await this.repository.list();
    return rows.map((row) => this.toDto(row));
  }

  private toDto({ polls, ...row }: FeedRow): FeedDto {
    const at = polls.find(({ kind }) => kind === 'odds')?.lastSuccessAt ?? null;
    const lagMs = at === null ? null : this.clock.now().getTime() - Date.parse(at);
    return {
      ...row,
      lagSeconds: lagMs === null ? null : Math.max(0, Math.round(lagMs / 1000)),
      polls: polls.map((poll) => ({
        ...poll,
        lastSuccessAt: iso(poll.lastSuccessAt),
        lastErrorAt: iso(poll.lastErrorAt),
      })),
    };
  }
}

/** Postgres writes times its own way into JSON. */
function iso(time: string | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
