import { Global, Module } from '@nestjs/common';
import { ClsModule, ClsServiceManager } from 'nestjs-cls';
import { LoggerModule } from 'nestjs-pino';
import { AppConfig } from '../config/app-config.js';
import { errorFields } from './error-fields.js';

/** What every line written within a request carries. */
function requestFields(): object {
  const cls = ClsServiceManager.getClsService();
  return cls.isActive() ? { requestId: cls.getId() } : {};
}

/** Structured logs with request and user id; never bodies, headers or query strings, which may hold secrets. */
@Global()
@Module({
  imports: [
    ClsModule, // entered by RequestMiddleware; its forRoot would add a guard and an interceptor to every route
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
  exports: [ClsModule],
})
export class LoggingModule {}
