import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { type Forget, type Forgetful, HasHousekeeping } from '../../platform/jobs/housekeeping.decorator.js';
import { MetricsService } from '../../platform/observability/metrics.service.js';
import { ProviderEventsRepository } from './provider-events.repository.js';
import { ReconciliationRepository } from './reconciliation.repository.js';

const DAY_MS = 86_400_000;

/** Forgets what providers wrote, and tells what nobody has dealt with. */
@HasHousekeeping()
@Injectable()
export class PaymentsUpkeep implements Forgetful {
  readonly forgets: readonly Forget[] = [
    (limit) =>
      this.events.forgetBodies(
        new Date(this.clock.now().getTime() - this.rules.payments.eventBodyDays * DAY_MS),
        limit,
      ),
  ];

  constructor(
    private readonly events: ProviderEventsRepository,
    private readonly clock: Clock,
    private readonly rules: Rules,
    reconciliation: ReconciliationRepository,
    metrics: MetricsService,
  ) {
    metrics.gauge(
      'parley_payments_attention',
      "Differences from a provider's books, events of nothing known or that cannot be applied, payments set aside or overdue to be asked about",
      ['what'],
      async (figure) => {
        for (const { what, count } of await reconciliation.figures(clock.now())) figure.set({ what }, count);
      },
    );
    metrics.gauge(
      'parley_payments_attention_seconds',
      'For how long the oldest of them has waited',
      ['what'],
      async (figure) => {
        const now = clock.now();
        for (const { what, since } of await reconciliation.figures(now))
          figure.set({ what }, since === null ? 0 : (now.getTime() - since.getTime()) / 1000);
      },
    );
  }
}
