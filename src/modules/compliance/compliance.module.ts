import { Module } from '@nestjs/common';
import { BarredIdentitiesRepository } from './barred-identities.repository.js';
import { BarredIdentitiesService } from './barred-identities.service.js';
import { CompliancePersonalData } from './compliance-personal-data.repository.js';
import { ComplianceController } from './compliance.controller.js';
import { ComplianceRepository } from './compliance.repository.js';
import { ComplianceService } from './compliance.service.js';

@Module({
  controllers: [ComplianceController],
  providers: [
    ComplianceRepository,
    ComplianceService,
    BarredIdentitiesRepository,
    BarredIdentitiesService,
    CompliancePersonalData,
  ],
  exports: [ComplianceService, BarredIdentitiesService],
})
export class ComplianceModule {}
