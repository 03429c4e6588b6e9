import { Module } from '@nestjs/common';
import { BarredIdentitiesRepository } from './barred-identities.repository.js';
import { BarredIdentitiesService } from './barred-identities.service.js';
import { CompliancePersonalData } from './compliance-personal-data.repository.js';
import { ComplianceController } from './compliance.controller.js';
import { ComplianceRepository } from './compliance.repository.js';
import { ComplianceService } from './compliance.service.js';
import { ConfiguredWithdrawalRules, WithdrawalRules } from './withdrawal-rules.service.js';

@Module({
  controllers: [ComplianceController],
  providers: [
    ComplianceRepository,
    ComplianceService,
    BarredIdentitiesRepository,
    BarredIdentitiesService,
    CompliancePersonalData,
    { provide: WithdrawalRules, useClass: ConfiguredWithdrawalRules },
  ],
  exports: [ComplianceService, BarredIdentitiesService, WithdrawalRules],
})
export class ComplianceModule {}
