import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

const MAX_LENGTH = 300;

/** What the client calls itself, cut to what is kept of it; null when it does not say. */
export const UserAgent = createParamDecorator((_: unknown, context: ExecutionContext): string | null => {
  const header = context.switchToHttp().getRequest<Request>().headers['user-agent'];
  return header?.slice(0, MAX_LENGTH) ?? null;
});
