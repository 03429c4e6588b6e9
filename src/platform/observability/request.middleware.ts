import { Injectable, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Response } from 'express';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../config/app-config.js';
import type { SubjectRequest } from '../security/subject.js';
import { Lifecycle } from './lifecycle.js';
import { MetricsService } from './metrics.service.js';

/**
 * Times every request under its route's pattern (never its path: ids would make a series each) and writes the access
 * log: method, path without query, status, time, user. Never bodies, headers or query strings, which may hold secrets.
 */
@Injectable()
export class RequestMiddleware implements NestMiddleware {
  private readonly logs: boolean;

  constructor(
    private readonly metrics: MetricsService,
    private readonly lifecycle: Lifecycle,
    private readonly logger: PinoLogger,
    config: AppConfig,
  ) {
    this.logs = ['info', 'debug', 'trace'].includes(config.LOG_LEVEL);
  }

  use(request: SubjectRequest, response: Response, next: NextFunction): void {
    const began = performance.now();
    this.lifecycle.begin(response);
    response.once('finish', () => {
      const { method, subject } = request;
      const status = response.statusCode;
      const ms = performance.now() - began;
      const requestId = response.getHeader('x-request-id');
      const route = (request.route as { path?: unknown } | undefined)?.path;
      this.metrics.httpDuration.observe(
        { method, route: typeof route === 'string' ? route : 'none', status },
        ms / 1000,
      );
      const path = request.originalUrl.split('?', 1)[0] ?? '';
      if (this.logs && !/^\/(health|metrics)/.test(path))
        this.logger.info(
          { requestId, method, path, status, ms: Math.round(ms), userId: subject?.userId },
          'request',
        );
    });
    next();
  }
}
