import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { devicesErrors } from './devices.errors.js';
import { DevicesService } from './devices.service.js';
import { DeviceDto, DeviceParam, RegisterDeviceDto } from './dto/devices.dto.js';

@ApiTags('notifications')
@ApiBearerAuth('session')
@Operates('account')
@Controller('devices')
export class DevicesController {
  constructor(private readonly service: DevicesService) {}

  @Post()
  @Operation({
    summary: 'Register this device for push, again whenever its token or version changes',
    description:
      'A token belongs to the user who registered it last. Of more than 20 devices the one registered longest ago goes. ' +
      'A device ends with its session.',
    status: 201,
    answer: DeviceDto,
  })
  async register(@CurrentSubject() subject: Subject, @Body() body: RegisterDeviceDto): Promise<DeviceDto> {
    return await this.service.register(subject, body);
  }

  @Get()
  @Operation({
    summary: "The caller's devices, the one registered last first",
    answer: DeviceDto,
    list: 'whole',
  })
  async list(@CurrentSubject() subject: Subject): Promise<DeviceDto[]> {
    return await this.service.list(subject);
  }

  @Delete(':id')
  @Operation({ summary: 'Forget a device', answer: null, errors: [devicesErrors.DEVICE_NOT_FOUND] })
  async remove(@CurrentSubject() subject: Subject, @Param() { id }: DeviceParam): Promise<void> {
    await this.service.remove(subject, id);
  }
}
