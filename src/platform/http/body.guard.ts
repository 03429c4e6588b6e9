import {
  type CanActivate,
  type CustomDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
  type Type,
} from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Request } from 'express';
import { httpErrors } from './http.errors.js';

const OWN_BODY = Symbol('own body');

type Handler = ReturnType<ExecutionContext['getHandler']>;

/** The route reads its body otherwise than by `@Body`; `reason` says why. */
export const ReadsOwnBody = (reason: string): CustomDecorator<symbol> => SetMetadata(OWN_BODY, reason);

/**
 * The last guard: an operation that takes no body refuses one as others refuse a property they do not know, rather than do
 * without what the caller meant by it. An empty object says nothing, and many clients send one with every POST.
 */
@Injectable()
export class BodyGuard implements CanActivate {
  private readonly known = new WeakMap<Handler, boolean>();

  canActivate(context: ExecutionContext): boolean {
    const { body } = context.switchToHttp().getRequest<Request>() as { body?: unknown };
    if (body === undefined || this.takesBody(context.getClass(), context.getHandler())) return true;
    if (body === null || typeof body !== 'object' || Array.isArray(body))
      throw httpErrors.VALIDATION_FAILED({ problem: 'this operation takes no body' });
    const fields = Object.keys(body);
    if (fields.length === 0) return true;
    throw httpErrors.VALIDATION_FAILED({
      fields: fields.map((field) => ({ field, problems: [`property ${field} should not exist`] })),
    });
  }

  private takesBody(controller: Type, handler: Handler): boolean {
    const found = this.known.get(handler);
    if (found !== undefined) return found;
    const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name) ?? {}) as object;
    const takes =
      Object.keys(parameters).some((key) => key.startsWith(`${RouteParamtypes.BODY}:`)) ||
      Reflect.hasMetadata(OWN_BODY, handler);
    this.known.set(handler, takes);
    return takes;
  }
}
