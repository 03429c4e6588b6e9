import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { raw, type Request, type RequestHandler, type Response } from 'express';
import type { Observable } from 'rxjs';
import { Rules } from '../../../platform/config/rules.js';
import { MEDIA_TYPES } from './domain/file-type.js';

/** Reads the file that is the body once the guards have let the request in: nobody else makes us hold so much. */
@Injectable()
export class UploadInterceptor implements NestInterceptor {
  private readonly read: RequestHandler;

  constructor(rules: Rules) {
    this.read = raw({ type: [...MEDIA_TYPES], limit: rules.compliance.kyc.maxBytes, inflate: false });
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const [request, response] = [http.getRequest<Request>(), http.getResponse<Response>()];
    await new Promise<void>((resolve, reject) => {
      const done = (error?: unknown) => (error instanceof Error ? reject(error) : resolve());
      void this.read(request, response, done);
    });
    return next.handle();
  }
}
