import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { MetricsService } from '../../../platform/observability/metrics.service.js';
import { HarmFlagsRepository } from './harm-flags.repository.js';
import { MarkersRepository } from './markers.repository.js';

/** Tells how far the night is, and how long people wait who are to be looked at. */
@Injectable()
export class MarkersUpkeep implements OnModuleInit {
  constructor(
    private readonly repository: MarkersRepository,
    private readonly flags: HarmFlagsRepository,
    private readonly metrics: MetricsService,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.metrics.gauge(
      'parley_harm_night',
      'People that the last night has looked at, and those that it has shown',
      ['what'],
      async (figure) => {
        const run = await this.repository.newestRun();
        if (run === null) return;
        figure.set({ what: 'people' }, run.people);
        figure.set({ what: 'flagged' }, run.flagged);
        figure.set({ what: 'completed' }, run.completed_at === null ? 0 : 1);
      },
    );
    this.metrics.gauge(
      'parley_harm_flags_waiting',
      'Flags of harm that nobody has decided',
      [],
      async (figure) => figure.set((await this.flags.waiting()).count),
    );
    this.metrics.gauge(
      'parley_harm_flags_waiting_seconds',
      'For how long the oldest of them has waited',
      [],
      async (figure) => {
        const { since } = await this.flags.waiting();
        figure.set(since === null ? 0 : (this.clock.now().getTime() - since.getTime()) / 1000);
      },
    );
  }
}
