import { Body, Controller, Get, Post, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentPlace } from '../../../platform/geo/current-place.decorator.js';
import type { Place } from '../../../platform/geo/place.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Passive } from '../../../platform/security/idle.decorators.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { ChooseRealityCheckDto, RealityCheckDto } from './dto/reality-check.dto.js';
import { realityCheckErrors } from './reality-checks.errors.js';
import { RealityChecksService } from './reality-checks.service.js';

@ApiTags('compliance')
@ApiBearerAuth('session')
@Operates('account')
@Controller('compliance/reality-check')
export class RealityChecksController {
  constructor(private readonly checks: RealityChecksService) {}

  @Get()
  @Passive()
  @Operation({
    summary:
      'How long this session has lasted, what was played in it, and when its next reality check is due',
    description:
      'Asking is no activity. It counts what the caller did since the session began, in whichever session.',
    answer: RealityCheckDto,
    errors: [realityCheckErrors.PLAY_SESSION_OVER],
  })
  async state(@CurrentSubject() subject: Subject, @CurrentPlace() place: Place): Promise<RealityCheckDto> {
    return await this.checks.state(subject, place);
  }

  @Post('acknowledge')
  @Operation({
    summary: 'Acknowledge the reality check that waits',
    description: 'The next one counts from now on. Where none waits nothing is done.',
    answer: RealityCheckDto,
    errors: [realityCheckErrors.PLAY_SESSION_OVER],
  })
  async acknowledge(
    @CurrentSubject() subject: Subject,
    @CurrentPlace() place: Place,
  ): Promise<RealityCheckDto> {
    return await this.checks.acknowledge(subject, place);
  }

  @Put()
  @Operation({
    summary: 'Choose how often the caller is told how long they have been here',
    answer: RealityCheckDto,
    errors: [realityCheckErrors.REALITY_CHECK_TOO_SELDOM, realityCheckErrors.PLAY_SESSION_OVER],
  })
  async choose(
    @CurrentSubject() subject: Subject,
    @CurrentPlace() place: Place,
    @Body() { minutes }: ChooseRealityCheckDto,
  ): Promise<RealityCheckDto> {
    return await this.checks.choose(subject, place, minutes);
  }
}
