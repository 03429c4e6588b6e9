import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { Role } from './subject.js';

export const ROLES_KEY = Symbol('roles');

/** In the OpenAPI document: the roles that may call an operation. Without it any signed-in user may. */
export const ROLES_EXTENSION = 'x-roles';

/** Only these roles may call the route. */
export const Roles = (...roles: Role[]): MethodDecorator & ClassDecorator =>
  applyDecorators(SetMetadata(ROLES_KEY, roles), ApiExtension(ROLES_EXTENSION, roles));
