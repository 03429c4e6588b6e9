import { Module } from '@nestjs/common';
import { AuditChainRepository } from './audit-chain.repository.js';
import { AuditExportService } from './audit-export.service.js';
import { AuditLogController } from './audit-log.controller.js';
import { AuditLogRepository } from './audit-log.repository.js';
import { AuditLogService } from './audit-log.service.js';
import { AuditVerifyService } from './audit-verify.service.js';

/** The audit log as it is read, and the proof of it. What writes it is AuditService. */
@Module({
  controllers: [AuditLogController],
  providers: [
    AuditLogService,
    AuditLogRepository,
    AuditExportService,
    AuditChainRepository,
    AuditVerifyService,
  ],
  exports: [AuditChainRepository, AuditVerifyService],
})
export class AuditLogModule {}
