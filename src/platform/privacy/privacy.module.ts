import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { PersonalDataService } from './personal-data.service.js';
import { PlatformPersonalData } from './platform-personal-data.repository.js';

/** People's own data, asked of every module through one interface: `@HoldsPersonalData()`. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [PersonalDataService, PlatformPersonalData],
  exports: [PersonalDataService],
})
export class PrivacyModule {}
