import { SetMetadata } from '@nestjs/common';
import type { Role } from './subject.js';

export const ROLES_KEY = Symbol('roles');

/** Only these roles may call the route. */
export const Roles = (...roles: Role[]): MethodDecorator & ClassDecorator => SetMetadata(ROLES_KEY, roles);
