import { Module } from '@nestjs/common';
import { ClsModule, ClsServiceManager } from 'nestjs-cls';
import { LoggerModule } from 'nestjs-pino';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppConfig } from '../config/app-config.js';
import { newId } from '../database/ids.js';
import type { SubjectRequest } from '../security/subject.js';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** The caller's X-Request-Id when it is one, or a new one; told back in the answer. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : newId();
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
        pinoHttp: {
          level: config.LOG_LEVEL,
          base: null,
          genReqId: () => ClsServiceManager.getClsService().getId() ?? newId(),
          quietReqLogger: true,
          customAttributeKeys: { reqId: 'requestId' },
          serializers: {
            req: (request: { method: string; url: string }) => ({
              method: request.method,
              path: request.url.split('?')[0],
            }),
            res: (response: { statusCode: number }) => ({ status: response.statusCode }),
          },
          customProps: (request: IncomingMessage) => {
            const { subject } = request as unknown as SubjectRequest;
            return subject ? { userId: subject.userId } : {};
          },
          autoLogging: { ignore: (request: IncomingMessage) => /^\/(health|metrics)/.test(request.url ?? '') },
        },
      }),
    }),
  ],
})
export class LoggingModule {}
