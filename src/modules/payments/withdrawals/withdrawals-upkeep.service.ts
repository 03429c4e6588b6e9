import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { MetricsService } from '../../../platform/observability/metrics.service.js';
import { WithdrawalsRepository } from './withdrawals.repository.js';

/** Tells which withdrawals wait for operators, and for how long. */
@Injectable()
export class WithdrawalsUpkeep implements OnModuleInit {
  constructor(
    private readonly repository: WithdrawalsRepository,
    private readonly metrics: MetricsService,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.metrics.gauge(
      'parley_withdrawals_waiting',
      'Withdrawals to be decided, and those of which something does not fit',
      ['what'],
      async (figure) => {
        for (const { what, count } of await this.repository.waiting()) figure.set({ what }, count);
      },
    );
    this.metrics.gauge(
      'parley_withdrawals_waiting_seconds',
      'For how long the oldest of them has waited',
      ['what'],
      async (figure) => {
        const now = this.clock.now().getTime();
        for (const { what, since } of await this.repository.waiting())
          figure.set({ what }, since === null ? 0 : (now - since.getTime()) / 1000);
      },
    );
  }
}
