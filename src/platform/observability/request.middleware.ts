import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { NextFunction, Response } from 'express';
import { CLS_ID, ClsService } from 'nestjs-cls';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../config/app-config.js';
import type { SubjectRequest } from '../security/subject.js';
import { Lifecycle } from './lifecycle.js';
import { MetricsService } from './metrics.service.js';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const OPERATIONS = /^\/(health|metrics)/;

/** The caller's X-Request-Id when it is one, or a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/**
 * The first to see a request. Gives it its id, told back in the answer and in every line written within it; times it under
 * its route's pattern (never its path: ids would make a series each) and writes the access log: method, path without
 * query, status, time, user. Never bodies, headers or query strings, which may hold secrets.
 *
 * Mounted on Express itself: what Nest mounts is wrapped in four functions more, at every request.
 */
@Injectable()
export class RequestMiddleware {
  private readonly logs: boolean;

  constructor(
    private readonly cls: ClsService,
    private readonly metrics: MetricsService,
    private readonly lifecycle: Lifecycle,
    private readonly logger: PinoLogger,
    config: AppConfig,
  ) {
    this.logs = ['info', 'debug', 'trace'].includes(config.LOG_LEVEL);
  }

  readonly use = (request: SubjectRequest, response: Response, next: NextFunction): void => {
    const began = performance.now();
    const requestId = requestIdOf(request);
    response.setHeader('X-Request-Id', requestId);
    this.lifecycle.begin(response);
    response.on('close', () => {
      this.lifecycle.end(response);
      if (response.writableFinished) this.finish(request, response, requestId, performance.now() - began);
    });
    this.cls.runWith({ [CLS_ID]: requestId }, next);
  };

  private finish(request: SubjectRequest, response: Response, requestId: string, ms: number): void {
    const { method, subject } = request;
    const status = response.statusCode;
    const route = (request.route as { path?: unknown } | undefined)?.path;
    this.metrics.httpDuration.observe(
      { method, route: typeof route === 'string' ? route : 'none', status },
      ms / 1000,
    );
    if (!this.logs || OPERATIONS.test(request.originalUrl)) return;
    const path = request.originalUrl.split('?', 1)[0] ?? '';
    this.logger.info(
      { requestId, method, path, status, ms: Math.round(ms), userId: subject?.userId },
      'request',
    );
  }
}
