import { Body, Controller, Get, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { TimeField } from '../http/fields.js';
import { Operation } from '../http/operation.decorator.js';
import { Operates } from '../security/operates.decorator.js';
import { Public } from '../security/public.decorator.js';
import { RequiresPermission } from '../security/requires-permission.decorator.js';
import { Clock } from './clock.js';
import { MovableClock } from './movable-clock.js';

class TimeDto {
  @TimeField()
  now: string;
}

/** The movable clock of demos and tests. The controller does not exist with the system's clock. */
@ApiTags('clock')
@Operates('staff')
@Controller()
export class ClockController {
  constructor(private readonly clock: Clock) {}

  @Get('clock')
  @Public('the time is no secret')
  @Operation({ summary: 'The time the rules go by', answer: TimeDto })
  now(): TimeDto {
    return { now: this.clock.now().toISOString() };
  }

  @Post('admin/clock')
  @RequiresPermission('clock.move')
  @ApiBearerAuth('session')
  @Operation({ summary: 'Move the time', answer: TimeDto })
  async move(@Body() body: TimeDto): Promise<TimeDto> {
    if (!(this.clock instanceof MovableClock)) throw new Error('The clock is not movable');
    const now = await this.clock.moveTo(new Date(body.now));
    return { now: now.toISOString() };
  }
}
