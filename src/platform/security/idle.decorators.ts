import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

export const ALLOWED_WHEN_IDLE = Symbol('allowed when idle');
export const PASSIVE = Symbol('passive');

/** Tells the OpenAPI document that an operation is not refused for being idle. */
export const IDLE_EXTENSION = 'x-allowed-when-idle';

/** An idle session may call the route though it writes; `reason` says why. Reading is always allowed. */
export const AllowedWhenIdle = (reason: string): MethodDecorator =>
  applyDecorators(SetMetadata(ALLOWED_WHEN_IDLE, reason), ApiExtension(IDLE_EXTENSION, reason));

/** Calling the route is no activity: clients do it by themselves, with nobody in front of them. */
export const Passive = (): MethodDecorator => SetMetadata(PASSIVE, true);
