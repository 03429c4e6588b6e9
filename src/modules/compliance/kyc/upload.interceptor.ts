import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { raw, type RequestHandler, type Response } from 'express';
import { finalize, type Observable } from 'rxjs';
import { Rules } from '../../../platform/config/rules.js';
import type { SubjectRequest } from '../../../platform/security/subject.js';
import { kycErrors } from '../kyc.errors.js';
import { type Part, PARTS } from './domain/document-parts.js';
import { MEDIA_TYPES } from './domain/file-type.js';
import { KycDocumentsService } from './kyc-documents.service.js';

const RETRY_SECONDS = 1;

/**
 * Reads the file that is the body once the guards have let the request in and somebody waits for it, one of a user at a time: nobody makes us
 * hold more. Throws KYC_UPLOAD_RUNNING, and what `requireWanted` throws.
 */
@Injectable()
export class UploadInterceptor implements NestInterceptor {
  private readonly read: RequestHandler;
  private readonly uploading = new Set<string>();

  constructor(
    private readonly documents: KycDocumentsService,
    rules: Rules,
  ) {
    this.read = raw({ type: [...MEDIA_TYPES], limit: rules.compliance.kyc.maxBytes, inflate: false });
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const [request, response] = [http.getRequest<SubjectRequest>(), http.getResponse<Response>()];
    const { subject, query } = request;
    const part = query['part'] as Part;
    // What is no part at all is refused by the pipes, which come after this.
    if (!subject || !PARTS.includes(part)) return next.handle();
    const { userId } = subject;
    if (this.uploading.has(userId)) throw kycErrors.KYC_UPLOAD_RUNNING({ retryAfter: RETRY_SECONDS });
    this.uploading.add(userId);
    try {
      await this.documents.requireWanted(userId, part);
      await this.readBody(request, response);
    } catch (error) {
      this.uploading.delete(userId);
      throw error;
    }
    return next.handle().pipe(finalize(() => this.uploading.delete(userId)));
  }

  private async readBody(request: SubjectRequest, response: Response): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = (error?: unknown) => (error instanceof Error ? reject(error) : resolve());
      void this.read(request, response, done);
    });
  }
}
