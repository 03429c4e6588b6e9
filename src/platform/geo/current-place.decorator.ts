import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { NOWHERE, type Place } from './place.js';

export interface PlacedRequest extends Request {
  /** Set by the compliance guard. */
  place?: Place;
}

/** Where the caller is; nowhere, on a route that nobody asked for. */
export const CurrentPlace = createParamDecorator(
  (_: unknown, context: ExecutionContext): Place =>
    context.switchToHttp().getRequest<PlacedRequest>().place ?? NOWHERE,
);
