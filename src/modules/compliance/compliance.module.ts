import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ActivityController } from './activity/activity.controller.js';
import { ActivityRepository } from './activity/activity.repository.js';
import { ActivityService } from './activity/activity.service.js';
import { BarredDevicesRepository } from './barred-devices.repository.js';
import { BarredDevicesService } from './barred-devices.service.js';
import { BarredIdentitiesRepository } from './barred-identities.repository.js';
import { BarredIdentitiesService } from './barred-identities.service.js';
import { CompliancePersonalData } from './compliance-personal-data.repository.js';
import { ComplianceGuard } from './compliance.guard.js';
import { ComplianceStatusService } from './compliance-status.service.js';
import { ComplianceController } from './compliance.controller.js';
import { ComplianceRepository } from './compliance.repository.js';
import { ComplianceService } from './compliance.service.js';
import { ExclusionsRepository } from './exclusions.repository.js';
import { JurisdictionVersionsRepository } from './jurisdiction-versions.repository.js';
import { JurisdictionVersionsService } from './jurisdiction-versions.service.js';
import { JurisdictionsService } from './jurisdictions.service.js';
import { LimitBookingsRepository } from './limits/limit-bookings.repository.js';
import { LimitsController } from './limits/limits.controller.js';
import { LimitsPersonalData } from './limits/limits-personal-data.repository.js';
import { LimitsRepository } from './limits/limits.repository.js';
import { LimitsService } from './limits/limits.service.js';
import { OwnLimitsService } from './limits/own-limits.service.js';
import { OpenStakesPort } from './open-stakes.port.js';
import { OperationsService } from './operations.service.js';
import { PolicyService } from './policy.service.js';
import { HarmFactsPort } from './markers/harm-facts.port.js';
import { HarmFlagsAdminController } from './markers/harm-flags-admin.controller.js';
import { HarmFlagsRepository } from './markers/harm-flags.repository.js';
import { HarmFlagsService } from './markers/harm-flags.service.js';
import { MarkersPersonalData } from './markers/markers-personal-data.repository.js';
import { MarkersUpkeep } from './markers/markers-upkeep.service.js';
import { MarkersRepository } from './markers/markers.repository.js';
import { MarkersService } from './markers/markers.service.js';
import { PlaySessionsPort } from './reality-checks/play-sessions.port.js';
import { RealityChecksController } from './reality-checks/reality-checks.controller.js';
import { RealityChecksPersonalData } from './reality-checks/reality-checks-personal-data.repository.js';
import { RealityChecksRepository } from './reality-checks/reality-checks.repository.js';
import { RealityChecksService } from './reality-checks/reality-checks.service.js';
import { SessionPlayPort } from './reality-checks/session-play.port.js';
import { SessionPlayService } from './reality-checks/session-play.service.js';
import { SelfExclusionService } from './self-exclusion.service.js';
import { WalletModule } from '../wallet/wallet.module.js';
import { ConfiguredWithdrawalRules, WithdrawalRules } from './withdrawal-rules.service.js';

@Module({
  imports: [DiscoveryModule, WalletModule],
  controllers: [
    ComplianceController,
    LimitsController,
    ActivityController,
    RealityChecksController,
    HarmFlagsAdminController,
  ],
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
    ComplianceGuard,
    PolicyService,
    OpenStakesPort,
    PlaySessionsPort,
    RealityChecksService,
    RealityChecksRepository,
    RealityChecksPersonalData,
    SessionPlayPort,
    SessionPlayService,
    HarmFactsPort,
    MarkersService,
    MarkersRepository,
    MarkersUpkeep,
    MarkersPersonalData,
    HarmFlagsService,
    HarmFlagsRepository,
    LimitsRepository,
    LimitBookingsRepository,
    LimitsService,
    OwnLimitsService,
    LimitsPersonalData,
    ActivityRepository,
    ActivityService,
    BarredDevicesRepository,
    BarredDevicesService,
    BarredIdentitiesRepository,
    BarredIdentitiesService,
    CompliancePersonalData,
    { provide: WithdrawalRules, useClass: ConfiguredWithdrawalRules },
  ],
  exports: [
    ComplianceGuard,
    ComplianceService,
    PolicyService,
    OperationsService,
    JurisdictionsService,
    LimitsService,
    OpenStakesPort,
    PlaySessionsPort,
    RealityChecksService,
    HarmFactsPort,
    MarkersService,
    SessionPlayPort,
    BarredDevicesService,
    BarredIdentitiesService,
    WithdrawalRules,
  ],
})
export class ComplianceModule {}
