import { Module } from '@nestjs/common';
import { ClsModule, ClsServiceManager } from 'nestjs-cls';
import { LoggerModule } from 'nestjs-pino';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppConfig } from '../config/app-config.js';
import { randomUUID } from 'node:crypto';
import { errorFields } from './error-fields.js';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** The caller's X-Request-Id when it is one, or a new one; told back in the answer. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** What every line written within a request carries. */
function requestFields(): object {
  const cls = ClsServiceManager.getClsService();
  return cls.isActive() ? { requestId: cls.getId() } : {};
}

/** Structured logs with request and user id; never bodies, headers or query strings, which may hold secrets. */
@Module({
  imports: [
    ClsModule.forRoot({
      global: true,
      middleware: {
        mount: true,
        generateId: true,
        idGenerator: requestIdOf,
        setup: (cls, _request: IncomingMessage, response: ServerResponse) =>
          void response.setHeader('X-Request-Id', cls.getId()),
      },
    }),
    LoggerModule.forRootAsync({
      inject: [AppConfig],
      useFactory: (config: AppConfig) => ({
        // The access log is RequestMiddleware's: a child logger for each request would cost as much as its work.
        forRoutes: [],
        pinoHttp: {
          level: config.LOG_LEVEL,
          base: null,
          mixin: requestFields,
          wrapSerializers: false,
          serializers: { err: errorFields },
        },
      }),
    }),
  ],
})
export class LoggingModule {}
