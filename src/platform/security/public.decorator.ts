import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const PUBLIC = Symbol('public');

/** Tells the OpenAPI document that an operation needs no session. */
export const PUBLIC_EXTENSION = 'x-public';

/** Anyone may call the route; `reason` says why. Every other route asks for a live session. */
export const Public = (reason: string): MethodDecorator & ClassDecorator =>
  applyDecorators(SetMetadata(PUBLIC, reason), ApiExtension(PUBLIC_EXTENSION, reason));
