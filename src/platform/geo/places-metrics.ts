import { Injectable } from '@nestjs/common';
import { Counter } from 'prom-client';
import { MetricsService } from '../observability/metrics.service.js';
import type { AddressDatabase } from './address-database.js';

/**
 * Why nobody knows where a caller is. Of the edge's header: `missing`, `forged` (or signed for another address), `stale`. Of an
 * address: `no_address`, `no_database` (none could be read since the start), `unreadable` (its part of the file is broken), `unlisted`.
 */
export type Unknown =
  'missing' | 'forged' | 'stale' | 'no_address' | 'no_database' | 'unreadable' | 'unlisted';

@Injectable()
export class PlacesMetrics {
  private readonly unknown: Counter<'why'>;
  private readonly failures: Counter<'database'>;

  constructor(private readonly metrics: MetricsService) {
    const registers = [metrics.registry];
    this.unknown = new Counter({
      name: 'parley_places_unknown_total',
      help: 'Requests whose place nobody knows, by the reason',
      labelNames: ['why'],
      registers,
    });
    this.failures = new Counter({
      name: 'parley_places_reload_failures_total',
      help: 'Files of address databases that were missing or corrupt and not taken',
      labelNames: ['database'],
      registers,
    });
  }

  countUnknown(why: Unknown): void {
    this.unknown.inc({ why });
  }

  countFailure(database: string): void {
    this.failures.inc({ database });
  }

  /** Tells of the databases that are used. */
  tellOf(databases: readonly AddressDatabase[]): void {
    this.metrics.gauge(
      'parley_places_database_loaded',
      'Whether a database of addresses is there; without it nobody knows where anybody is',
      ['database'],
      (figure) => {
        for (const { name, loaded } of databases) figure.set({ database: name }, loaded ? 1 : 0);
      },
    );
    this.metrics.gauge(
      'parley_places_database_built_timestamp_seconds',
      'When the database of addresses that is used was made',
      ['database'],
      (figure) => {
        for (const { name, builtAt } of databases)
          if (builtAt !== null) figure.set({ database: name }, builtAt.getTime() / 1000);
      },
    );
  }
}
