import { Body, Controller, Get, Post, Query, Req, UseInterceptors } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Operation } from '../../../platform/http/operation.decorator.js';
import { Operates } from '../../../platform/security/operates.decorator.js';
import { CurrentSubject, type Subject } from '../../../platform/security/subject.js';
import { kycErrors } from '../kyc.errors.js';
import { MEDIA_TYPES } from './domain/file-type.js';
import { AgeDto, KycDto, StartKycDto, UploadQuery } from './dto/kyc.dto.js';
import { KycDocumentsService } from './kyc-documents.service.js';
import { KycService } from './kyc.service.js';
import { UploadInterceptor } from './upload.interceptor.js';

const START_ERRORS = [
  kycErrors.KYC_CLOSED,
  kycErrors.KYC_TOO_MANY_CHANGES,
  kycErrors.KYC_TOO_MANY_ATTEMPTS,
  kycErrors.KYC_PROVIDER_UNAVAILABLE,
];

@ApiTags('compliance')
@ApiBearerAuth('session')
@Operates('account')
@Controller('compliance')
export class KycController {
  constructor(
    private readonly kyc: KycService,
    private readonly documents: KycDocumentsService,
  ) {}

  @Get('kyc')
  @Operation({ summary: "Whether the caller's identity is known, and what is missing", answer: KycDto })
  async status(@CurrentSubject() subject: Subject): Promise<KycDto> {
    return await this.kyc.status(subject.userId);
  }

  @Post('kyc')
  @Operation({
    summary: 'Begin to show who one is, or go on where it was left',
    description:
      'Then upload what is `missing` to `POST compliance/kyc/documents`; where a provider takes the documents, go to `url` instead, or hand ' +
      '`clientSecret` to its library. Asking again answers where to go on.',
    status: 201,
    answer: KycDto,
    errors: [kycErrors.KYC_ALREADY_VERIFIED, ...START_ERRORS],
  })
  async start(@CurrentSubject() subject: Subject, @Body() body: StartKycDto): Promise<KycDto> {
    return await this.kyc.start(subject.userId, body);
  }

  @Post('age')
  @Operation({
    summary: 'Whether the age of the caller is known; begins to show it where it is not',
    description: 'Age is shown by a document, as the identity is: goes on as `POST compliance/kyc` does.',
    status: 201,
    answer: AgeDto,
    errors: [kycErrors.KYC_ALREADY_VERIFIED, ...START_ERRORS],
  })
  async age(@CurrentSubject() subject: Subject, @Body() body: StartKycDto): Promise<AgeDto> {
    return await this.kyc.age(subject.userId, body);
  }

  @Post('kyc/documents')
  @UseInterceptors(UploadInterceptor)
  @ApiConsumes(...MEDIA_TYPES)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @Operation({
    summary: 'Upload one part of the document',
    description:
      'The file itself is the body: a JPEG, a PNG or a PDF of 10 MiB at most, which its bytes have to say. With the last part the case is ' +
      'handed in. Kept encrypted, and seen by those who decide alone.',
    status: 201,
    answer: KycDto,
    errors: [
      kycErrors.KYC_NOT_STARTED,
      kycErrors.KYC_IN_REVIEW,
      kycErrors.KYC_NO_UPLOAD,
      kycErrors.KYC_UPLOAD_RUNNING,
      kycErrors.KYC_PART_NOT_ASKED,
      kycErrors.KYC_PART_SENT,
      kycErrors.KYC_FILE_EMPTY,
      kycErrors.KYC_FILE_TYPE,
    ],
  })
  async upload(
    @CurrentSubject() subject: Subject,
    @Query() { part }: UploadQuery,
    @Req() request: Request,
  ): Promise<KycDto> {
    const { body } = request as { body?: unknown };
    return await this.documents.upload(subject.userId, part, Buffer.isBuffer(body) ? body : Buffer.alloc(0));
  }
}
