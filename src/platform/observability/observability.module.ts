import { Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AuditService } from './audit.service.js';
import { RequestMiddleware } from './request.middleware.js';
import { Lifecycle } from './lifecycle.js';
import { MetricsService } from './metrics.service.js';
import { OperationsController } from './operations.controller.js';

@Global()
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [OperationsController],
  providers: [MetricsService, Lifecycle, AuditService, RequestMiddleware],
  exports: [MetricsService, Lifecycle, AuditService, RequestMiddleware],
})
export class ObservabilityModule {}
