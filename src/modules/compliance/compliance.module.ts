import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BarredIdentitiesRepository } from './barred-identities.repository.js';
import { BarredIdentitiesService } from './barred-identities.service.js';
import { CompliancePersonalData } from './compliance-personal-data.repository.js';
import { ComplianceStatusService } from './compliance-status.service.js';
import { ComplianceController } from './compliance.controller.js';
import { ComplianceRepository } from './compliance.repository.js';
import { ComplianceService } from './compliance.service.js';
import { ExclusionsRepository } from './exclusions.repository.js';
import { JurisdictionVersionsRepository } from './jurisdiction-versions.repository.js';
import { JurisdictionVersionsService } from './jurisdiction-versions.service.js';
import { JurisdictionsService } from './jurisdictions.service.js';
import { OpenStakesPort } from './open-stakes.port.js';
import { OperationsService } from './operations.service.js';
import { PolicyService } from './policy.service.js';
import { SelfExclusionService } from './self-exclusion.service.js';
import { ConfiguredWithdrawalRules, WithdrawalRules } from './withdrawal-rules.service.js';

@Module({
  imports: [DiscoveryModule],
  controllers: [ComplianceController],
  providers: [
    ComplianceRepository,
    ComplianceService,
    ComplianceStatusService,
    SelfExclusionService,
    ExclusionsRepository,
    JurisdictionsService,
    JurisdictionVersionsRepository,
    JurisdictionVersionsService,
    OperationsService,
    PolicyService,
    OpenStakesPort,
    BarredIdentitiesRepository,
    BarredIdentitiesService,
    CompliancePersonalData,
    { provide: WithdrawalRules, useClass: ConfiguredWithdrawalRules },
  ],
  exports: [
    ComplianceService,
    PolicyService,
    OperationsService,
    JurisdictionsService,
    OpenStakesPort,
    BarredIdentitiesService,
    WithdrawalRules,
  ],
})
export class ComplianceModule {}
