import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { DecideHarmFlagDto, HarmFlagDto, HarmFlagParam, HarmFlagsQuery } from './dto/harm-flags.dto.js';
import { HarmFlagsService } from './harm-flags.service.js';
import { harmErrors } from './markers.errors.js';

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin/harm-flags')
export class HarmFlagsAdminController {
  constructor(private readonly flags: HarmFlagsService) {}

  @Get()
  @RequiresPermission('harm.review')
  @Operation({
    summary: 'Whose play shows signs of harm, and by which numbers; the oldest first',
    answer: HarmFlagDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(@Query() query: HarmFlagsQuery): Promise<Listed<HarmFlagDto>> {
    return await this.flags.list(query);
  }

  @Post(':id/decide')
  @RequiresPermission('harm.review')
  @Operation({
    summary: 'Note what was done about it',
    description: 'Nothing happens to the user by it.',
    answer: HarmFlagDto,
    errors: Object.values(harmErrors),
  })
  async decide(
    @CurrentSubject() subject: Subject,
    @Param() { id }: HarmFlagParam,
    @Body() body: DecideHarmFlagDto,
  ): Promise<HarmFlagDto> {
    return await this.flags.decide(subject, id, body);
  }
}
