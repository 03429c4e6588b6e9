import { Controller, Get, Header, Headers } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import {
  HealthCheck,
  type HealthCheckResult,
  HealthCheckService,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { AppConfig } from '../config/app-config.js';
import { Database } from '../database/database.js';
import { PlacesService } from '../geo/places.service.js';
import { Bare } from '../http/bare.decorator.js';
import { httpErrors } from '../http/http.errors.js';
import { RedisConnections } from '../redis/redis-connections.js';
import { Operates } from '../security/operates.decorator.js';
import { Public } from '../security/public.decorator.js';
import { Lifecycle } from './lifecycle.js';
import { mayScrape } from './metrics-token.js';
import { MetricsService } from './metrics.service.js';
import { READY_MS, withTimeout } from './with-timeout.js';

/** What orchestrators and Prometheus read. */
@ApiExcludeController()
@Bare()
@SkipThrottle({ flood: true, default: true }) // a probe that is told to wait would take the process out of service
@Public('machines of the operator read it; /metrics asks for its own token')
@Operates('machine')
@Controller()
export class OperationsController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: Database,
    private readonly redis: RedisConnections,
    private readonly lifecycle: Lifecycle,
    private readonly metrics: MetricsService,
    private readonly places: PlacesService,
    private readonly config: AppConfig,
  ) {}

  /** The process runs. */
  @Get('health/live')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /**
   * The process can serve: it is not stopping, Postgres answers and callers' places can be known. Redis may be away (sessions
   * and limits fall back).
   */
  @Get('health/ready')
  @HealthCheck()
  async ready(): Promise<HealthCheckResult> {
    if (this.lifecycle.stopping) throw httpErrors.SERVICE_UNAVAILABLE({ part: 'process', retryAfter: 5 });
    // Everybody would be refused: a release with a broken database of addresses ends at its first process.
    if (!this.places.ready) throw httpErrors.SERVICE_UNAVAILABLE({ part: 'places', retryAfter: 5 });
    return await this.health.check([
      async (): Promise<HealthIndicatorResult> => {
        await withTimeout(this.database.query('health.ping', 'SELECT 1'), READY_MS, 'database');
        return { database: { status: 'up' } };
      },
      (): HealthIndicatorResult => ({ redis: { status: 'up', connection: this.redis.cache.status } }),
    ]);
  }

  @Get('metrics')
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  async scrape(@Headers('authorization') authorization?: string): Promise<string> {
    if (!mayScrape(this.config, authorization)) throw httpErrors.NOT_FOUND();
    return await this.metrics.registry.metrics();
  }
}
