import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { Unwrapped } from './answers.js';

class BareInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: unknown) => new Unwrapped(value)));
  }
}

/** The route answers as it is, without the envelope: what machines of other kinds read (health, metrics). */
export const Bare = (): MethodDecorator & ClassDecorator => applyDecorators(UseInterceptors(BareInterceptor));
