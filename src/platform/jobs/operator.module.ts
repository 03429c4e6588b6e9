import { type DynamicModule, Module } from '@nestjs/common';
import type { AppConfig } from '../config/app-config.js';
import { AuditLogController } from '../audit-log/audit-log.controller.js';
import { AuditLogRepository } from '../audit-log/audit-log.repository.js';
import { AuditLogService } from '../audit-log/audit-log.service.js';
import { ClockController } from '../clock/clock.controller.js';
import { QueuesController } from './queues.controller.js';

/** What an operator sees of the queues and the audit log; and, never in production, the hand on the clock. */
@Module({})
export class OperatorModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: OperatorModule,
      controllers: [
        QueuesController,
        AuditLogController,
        ...(config.CLOCK_MODE === 'movable' ? [ClockController] : []),
      ],
      providers: [AuditLogService, AuditLogRepository],
    };
  }
}
