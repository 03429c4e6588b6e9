import { SetMetadata } from '@nestjs/common';

export const PUBLIC = Symbol('public');

/** Anyone may call the route; `reason` says why. Every other route asks for a live session. */
export const Public = (reason: string): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC, reason);
