import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/**
 * What a provider's answer says, from the query or from the form that it posts. Providers add parameters of their own, so
 * that unknown ones are no mistake here, unlike everywhere else.
 */
export const ProviderAnswer = createParamDecorator(
  (_: unknown, context: ExecutionContext): URLSearchParams => {
    const request = context.switchToHttp().getRequest<Request>();
    if (request.method !== 'POST') return new URLSearchParams(request.url.split('?')[1] ?? '');
    return new URLSearchParams(typeof request.body === 'string' ? request.body : '');
  },
);
