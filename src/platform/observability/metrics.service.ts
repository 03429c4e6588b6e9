import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { Database } from '../database/database.js';
import { DeadLettersService } from '../jobs/dead-letters.service.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { withTimeout } from './with-timeout.js';

const COLLECT_MS = 1000;

/** Everything `/metrics` tells: HTTP, event loop, connection pool, outbox lag, queues. */
@Injectable()
export class MetricsService {
  readonly registry = new Registry();
  readonly httpDuration = new Histogram({
    name: 'parley_http_request_duration_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [this.registry],
  });

  constructor(database: Database, outbox: OutboxRepository, queues: DeadLettersService) {
    collectDefaultMetrics({ register: this.registry });
    this.gauge('parley_database_connections', 'Connections of this process', ['state'], (figure) => {
      figure.set({ state: 'total' }, database.pool.totalCount);
      figure.set({ state: 'idle' }, database.pool.idleCount);
      figure.set({ state: 'waiting' }, database.pool.waitingCount);
    });
    this.gauge('parley_outbox_lag_seconds', 'Age of the oldest event that waits', [], async (figure) =>
      figure.set((await outbox.lag()).seconds),
    );
    this.gauge('parley_outbox_waiting', 'Events that wait for the relay', [], async (figure) =>
      figure.set((await outbox.lag()).waiting),
    );
    this.gauge(
      'parley_queue_jobs',
      'Jobs by queue and state; failed ones are dead letters',
      ['queue', 'state'],
      async (figure) => {
        for (const { queue, ...states } of await queues.figures())
          for (const [state, count] of Object.entries(states)) figure.set({ queue, state }, count);
      },
    );
  }

  /** A figure that is looked up when it is asked for. One that cannot be had is left out; the others are still told. */
  gauge(
    name: string,
    help: string,
    labelNames: string[],
    collect: (gauge: Gauge) => Promise<void> | void,
  ): Gauge {
    return new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      async collect() {
        this.reset();
        await withTimeout(Promise.resolve(collect(this)), COLLECT_MS, name).catch(() => undefined);
      },
    });
  }
}
