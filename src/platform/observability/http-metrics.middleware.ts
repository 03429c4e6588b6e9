import { Injectable, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { Lifecycle } from './lifecycle.js';
import { MetricsService } from './metrics.service.js';

/** Times every request under its route's pattern (never its path: ids would make a series each). */
@Injectable()
export class HttpMetricsMiddleware implements NestMiddleware {
  constructor(
    private readonly metrics: MetricsService,
    private readonly lifecycle: Lifecycle,
  ) {}

  use(request: Request, response: Response, next: NextFunction): void {
    const began = performance.now();
    if (this.lifecycle.stopping) response.setHeader('Connection', 'close');
    response.once('finish', () => {
      const route = (request.route as { path?: unknown } | undefined)?.path;
      this.metrics.httpDuration.observe(
        { method: request.method, route: typeof route === 'string' ? route : 'none', status: response.statusCode },
        (performance.now() - began) / 1000,
      );
    });
    next();
  }
}
