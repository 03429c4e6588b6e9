import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { map, type Observable } from 'rxjs';
import { Clock } from '../clock/clock.js';
import { Effect, Listed } from './answers.js';

const BARE = Symbol('bare');

/** The route answers as it is, without the envelope: what machines of other kinds read (health, metrics). */
export const Bare = (): MethodDecorator & ClassDecorator => SetMetadata(BARE, true);

/** Wraps what a controller returns in `{ success, data, meta }`. */
@Injectable()
export class EnvelopeInterceptor implements NestInterceptor {
  constructor(
    private readonly clock: Clock,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (this.reflector.getAllAndOverride(BARE, [context.getHandler(), context.getClass()]))
      return next.handle();
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(map((value: unknown) => this.wrap(value, response)));
  }

  private wrap(value: unknown, response: Response): unknown {
    if (value instanceof Effect) {
      if (value.replayed) response.setHeader('Idempotent-Replayed', 'true');
      return { success: true, data: value.data as unknown, meta: { timestamp: value.at.toISOString() } };
    }
    const timestamp = this.clock.now().toISOString();
    if (value instanceof Listed)
      return { success: true, data: value.items, meta: { timestamp, pagination: value.pagination } };
    return { success: true, data: value ?? null, meta: { timestamp } };
  }
}
