import { Module } from '@nestjs/common';
import { BarredIdentitiesRepository } from './barred-identities.repository.js';
import { BarredIdentitiesService } from './barred-identities.service.js';
import { CompliancePersonalData } from './compliance-personal-data.repository.js';
import { ComplianceStatusService } from './compliance-status.service.js';
import { ComplianceController } from './compliance.controller.js';
import { ComplianceRepository } from './compliance.repository.js';
import { ComplianceService } from './compliance.service.js';
import { ExclusionsRepository } from './exclusions.repository.js';
import { OpenStakesPort } from './open-stakes.port.js';
import { SelfExclusionService } from './self-exclusion.service.js';
import { ConfiguredWithdrawalRules, WithdrawalRules } from './withdrawal-rules.service.js';

@Module({
  controllers: [ComplianceController],
  providers: [
    ComplianceRepository,
    ComplianceService,
    ComplianceStatusService,
    SelfExclusionService,
    ExclusionsRepository,
    OpenStakesPort,
    BarredIdentitiesRepository,
    BarredIdentitiesService,
    CompliancePersonalData,
    { provide: WithdrawalRules, useClass: ConfiguredWithdrawalRules },
  ],
  exports: [ComplianceService, OpenStakesPort, BarredIdentitiesService, WithdrawalRules],
})
export class ComplianceModule {}
