import type { IncomingMessage } from 'node:http';
import { Clock } from '../../src/platform/clock/clock.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { Database } from '../../src/platform/database/database.js';
import { PlacesMetrics } from '../../src/platform/geo/places-metrics.js';
import { PlacesService } from '../../src/platform/geo/places.service.js';
import { DeadLettersService } from '../../src/platform/jobs/dead-letters.service.js';
import { MetricsService } from '../../src/platform/observability/metrics.service.js';
import { OutboxRepository } from '../../src/platform/outbox/outbox.repository.js';
import type { System } from './system.js';

/** Places as a process of this environment knows them, beside the system whose clock and database it has. */
export class TestPlaces {
  private constructor(
    readonly service: PlacesService,
    private readonly metrics: MetricsService,
  ) {}

  static async start(system: System, env: Record<string, string> = {}): Promise<TestPlaces> {
    const { app } = system;
    const metrics = new MetricsService(
      app.get(Database),
      app.get(OutboxRepository),
      app.get(DeadLettersService),
    );
    const config = loadAppConfig({ ...system.env, GEO_LOCAL_PLACE: '', ...env });
    const service = new PlacesService(config, app.get(Clock), new PlacesMetrics(metrics));
    await service.onModuleInit();
    return new TestPlaces(service, metrics);
  }

  /** In words: `US-WA`, `GB`, `US-WA hidden`, `nowhere`. */
  of(ip: string | undefined, headers: Record<string, string> = {}): string {
    return this.ofRequest(requestOf(ip, headers));
  }

  ofRequest(request: ReturnType<typeof requestOf>): string {
    const { country, region, anonymous } = this.service.placeOf(request);
    const where = [country ?? 'nowhere', region].filter((part) => part !== null).join('-');
    return anonymous ? `${where} hidden` : where;
  }

  /** What `/metrics` tells of one series, or null. */
  async figure(series: string): Promise<number | null> {
    const line = (await this.metrics.registry.metrics())
      .split('\n')
      .find((each) => each.startsWith(`${series} `));
    return line === undefined ? null : Number(line.split(' ').at(-1));
  }

  async stop(): Promise<void> {
    await this.service.onApplicationShutdown();
  }
}

/** A request from an address, as Express has it. */
export function requestOf(
  ip: string | undefined,
  headers: Record<string, string> = {},
): IncomingMessage & { ip?: string | undefined } {
  return { headers, ip } as unknown as IncomingMessage & { ip?: string | undefined };
}
