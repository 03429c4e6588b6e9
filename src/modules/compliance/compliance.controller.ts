import { Body, Controller, Get, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { CurrentPlace } from '../../platform/geo/current-place.decorator.js';
import type { Place } from '../../platform/geo/place.js';
import { CurrentFingerprint } from '../../platform/http/caller.decorator.js';
import { Operation } from '../../platform/http/operation.decorator.js';
import { AllowedWhenIdle } from '../../platform/security/idle.decorators.js';
import { Operates } from '../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../platform/security/subject.js';
import { returnErrors } from './compliance.errors.js';
import { ComplianceStatusService } from './compliance-status.service.js';
import { ComplianceStatusDto, TimeOutDto } from './dto/compliance-status.dto.js';
import { SelfExcludeDto, SelfExclusionDto } from './dto/self-exclusion.dto.js';
import { SelfExclusionService } from './self-exclusion.service.js';

@ApiTags('compliance')
@ApiBearerAuth('session')
@Operates('account')
@Controller('compliance')
export class ComplianceController {
  constructor(
    private readonly statuses: ComplianceStatusService,
    private readonly selfExclusion: SelfExclusionService,
  ) {}

  @Get('status')
  @Operation({
    summary: 'What the caller may do and what not, since when, until when, and what to do about it',
    answer: ComplianceStatusDto,
  })
  async status(
    @CurrentSubject() subject: Subject,
    @CurrentPlace() place: Place,
  ): Promise<ComplianceStatusDto> {
    return await this.statuses.status(subject, place);
  }

  @Post('time-out')
  @Operation({
    summary: 'Take a time-out of 1 to 42 days, at once',
    status: 201,
    answer: ComplianceStatusDto,
  })
  async timeOut(
    @CurrentSubject() subject: Subject,
    @CurrentPlace() place: Place,
    @Body() body: TimeOutDto,
  ): Promise<ComplianceStatusDto> {
    return await this.selfExclusion.timeOut(subject, place, body.days);
  }

  @Post('self-exclusion')
  @AllowedWhenIdle('nobody is kept from leaving')
  @Operation({
    summary:
      'Exclude oneself, at once, for 6 months at least; a longer one may be added, never a shorter one',
    description:
      'Bets on games that have not begun are given back. Asking again answers the exclusion that stands, unless it is for longer.',
    status: 201,
    answer: SelfExclusionDto,
  })
  async exclude(
    @CurrentSubject() subject: Subject,
    @CurrentPlace() place: Place,
    @CurrentFingerprint() fingerprint: string | null,
    @Body() body: SelfExcludeDto,
  ): Promise<SelfExclusionDto> {
    return await this.selfExclusion.declare(subject, place, fingerprint, body);
  }

  @Post('self-exclusion/return')
  @Operation({
    summary: 'Ask to come back, once the term of the exclusion is over; it takes effect 24 hours later',
    status: 202,
    answer: ComplianceStatusDto,
    errors: Object.values(returnErrors),
  })
  async askToReturn(
    @CurrentSubject() subject: Subject,
    @CurrentPlace() place: Place,
  ): Promise<ComplianceStatusDto> {
    return await this.selfExclusion.askToReturn(subject, place);
  }
}
