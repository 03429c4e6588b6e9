import { Body, Controller, Get, Header, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Listed } from '../../../platform/http/answers.js';
import { httpErrors } from '../../../platform/http/http.errors.js';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { RequiresPermission } from '../../../platform/security/requires-permission.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { kycReviewErrors } from '../kyc.errors.js';
import { MEDIA_TYPES } from './domain/file-type.js';
import {
  AdminKycDetailDto,
  AdminKycDto,
  AdminKycQuery,
  DecideKycDto,
  KycCaseParam,
  KycDocumentParam,
} from './dto/kyc.dto.js';
import { KycDocumentsService } from './kyc-documents.service.js';
import { KycReviewService } from './kyc-review.service.js';

const BINARY = { schema: { type: 'string', format: 'binary' } } as const;

@ApiTags('admin')
@ApiBearerAuth('session')
@Operates('staff')
@Controller('admin/kyc')
export class KycAdminController {
  constructor(
    private readonly reviews: KycReviewService,
    private readonly documents: KycDocumentsService,
  ) {}

  @Get()
  @RequiresPermission('kyc.review')
  @Operation({
    summary: 'Identities in one state, by default those that wait for an operator; the oldest first',
    answer: AdminKycDto,
    list: 'cursor',
    errors: [httpErrors.INVALID_CURSOR],
  })
  async list(@Query() query: AdminKycQuery): Promise<Listed<AdminKycDto>> {
    return await this.reviews.list(query);
  }

  @Get(':id')
  @RequiresPermission('kyc.review')
  @Operation({
    summary: 'One of them, with what was sent',
    answer: AdminKycDetailDto,
    errors: [kycReviewErrors.KYC_CASE_NOT_FOUND],
  })
  async get(@Param() { id }: KycCaseParam): Promise<AdminKycDetailDto> {
    return await this.reviews.get(id);
  }

  @Get(':id/documents/:documentId')
  @RequiresPermission('kyc.review')
  @Header('Cache-Control', 'private, no-store')
  @ApiResponse({
    status: 200,
    description: 'The file',
    content: Object.fromEntries(MEDIA_TYPES.map((type) => [type, BINARY])),
  })
  @Operation({
    summary: 'A file as it was sent; that it was looked at is in the audit log',
    answer: null,
    errors: [kycReviewErrors.KYC_DOCUMENT_NOT_FOUND],
  })
  async document(
    @CurrentSubject() subject: Subject,
    @Param() { id, documentId }: KycDocumentParam,
  ): Promise<StreamableFile> {
    const { bytes, row } = await this.documents.read(subject.userId, id, documentId);
    return new StreamableFile(bytes, {
      type: row.media_type,
      length: bytes.length,
      disposition: `attachment; filename="${row.id}"`,
    });
  }

  @Post(':id/decide')
  @RequiresPermission('kyc.review')
  @Operation({
    summary: 'Approve, reject, ask for the documents anew, or take an approval back',
    description:
      "To approve, `birthDate` is what the document shows: it becomes the user's, whatever they had declared, and whoever turns out to be too " +
      'young stakes nothing from then on.',
    answer: AdminKycDetailDto,
    errors: Object.values(kycReviewErrors).filter(({ code }) => code !== 'KYC_DOCUMENT_NOT_FOUND'),
  })
  async decide(
    @CurrentSubject() subject: Subject,
    @Param() { id }: KycCaseParam,
    @Body() body: DecideKycDto,
  ): Promise<AdminKycDetailDto> {
    return await this.reviews.decide(subject, id, body);
  }
}
