import { Controller, Get, Header, Param, Post, Query, type StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Bare } from '../../../platform/http/bare.decorator.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Passive } from '../../../platform/security/idle.decorators.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { Public } from '../../../platform/security/public.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { ExportsService } from '../../users/privacy/exports.service.js';
import { privacyErrors } from '../../users/privacy/privacy.errors.js';
import { authErrors } from '../auth.errors.js';
import { sessionErrors } from '../sessions/session.errors.js';
import { DownloadQuery, ExportDto, ExportParam } from './dto/exports.dto.js';
import { OwnExportsService } from './own-exports.service.js';

@ApiTags('users')
@Operates('account')
@Controller('users/me/export')
export class ExportsController {
  constructor(
    private readonly own: OwnExportsService,
    private readonly exports: ExportsService,
  ) {}

  @Post()
  @ApiBearerAuth('session')
  @Operation({
    summary: 'Ask for everything held about the caller, as JSON in a zip',
    description: 'Answers the export that is being written, if there is one. One a day.',
    status: 202,
    answer: ExportDto,
    errors: [sessionErrors.PROOF_TOO_OLD, privacyErrors.EXPORT_TOO_SOON],
  })
  async request(@CurrentSubject() subject: Subject): Promise<ExportDto> {
    return await this.own.request(subject);
  }

  @Get()
  @ApiBearerAuth('session')
  @Passive()
  @Operation({
    summary: "The caller's export: how far it is, and the link to it when it is ready",
    description:
      'Begins one where there is none, or where the last has expired. A link works for 15 minutes and ends with the ' +
      'session; for it, and to begin one, the session must have been proved in the last minutes.',
    answer: ExportDto,
    errors: [
      authErrors.REAUTHENTICATION_REQUIRED,
      sessionErrors.PROOF_TOO_OLD,
      privacyErrors.EXPORT_TOO_SOON,
    ],
  })
  async find(@CurrentSubject() subject: Subject): Promise<ExportDto> {
    return await this.own.find(subject);
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
    return await this.exports.download(id, token);
  }
}
