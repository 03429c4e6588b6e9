import { Controller, Get, Header, Param, Post, Query, type StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Bare } from '../../../platform/http/bare.decorator.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Passive } from '../../../platform/security/idle.decorators.js';
import { Public } from '../../../platform/security/public.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { DownloadQuery, ExportDto, ExportParam } from './dto/privacy.dto.js';
import { ExportsService } from './exports.service.js';
import { privacyErrors } from './privacy.errors.js';

@ApiTags('users')
@Controller('users/me/export')
export class ExportsController {
  constructor(private readonly service: ExportsService) {}

  @Post()
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Ask for everything held about the caller, as JSON in a zip',
    description: 'Answers the export that is being written, if there is one. One a day.',
    status: 202,
    answer: ExportDto,
    errors: [privacyErrors.EXPORT_TOO_SOON],
  })
  async request(@CurrentSubject() subject: Subject): Promise<ExportDto> {
    return await this.service.request(subject);
  }

  @Get()
  @ApiBearerAuth('session')
  @Passive()
  @Operation({
    summary: "The caller's export: how far it is, and the link to it when it is ready",
    description:
      'Begins one where there is none, or where the last has expired. Each answer carries a link of its own.',
    answer: ExportDto,
    errors: [privacyErrors.EXPORT_TOO_SOON],
  })
  async find(@CurrentSubject() subject: Subject): Promise<ExportDto> {
    return await this.service.find(subject);
  }

  @Get(':id/download')
  @Bare()
  @Public('the link is the proof: it opens in a browser')
  @Header('Cache-Control', 'private, no-store')
  @ApiResponse({
    status: 200,
    description: 'The zip',
    content: { 'application/zip': { schema: { type: 'string', format: 'binary' } } },
  })
  @Operation({
    summary: 'Download an export',
    answer: null,
    errors: [privacyErrors.EXPORT_LINK_INVALID],
  })
  async download(@Param() { id }: ExportParam, @Query() { token }: DownloadQuery): Promise<StreamableFile> {
    return await this.service.download(id, token);
  }
}
