import { Module } from '@nestjs/common';
import { DevicesPersonalData } from './devices-personal-data.repository.js';
import { DevicesController } from './devices.controller.js';
import { DevicesRepository } from './devices.repository.js';
import { DevicesService } from './devices.service.js';

@Module({
  controllers: [DevicesController],
  providers: [DevicesService, DevicesRepository, DevicesPersonalData],
  exports: [DevicesService],
})
export class DevicesModule {}
