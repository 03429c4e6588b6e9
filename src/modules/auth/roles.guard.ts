import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Role, SubjectRequest } from '../../platform/security/subject.js';
import { authErrors } from './auth.errors.js';
import { ROLES_KEY } from '../../platform/security/roles.decorator.js';

/** The last guard: the role that the live session tells. */
@Injectable()
export class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const roles = this.reflector.getAllAndOverride<Role[] | undefined>(ROLES_KEY, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (roles === undefined) return true;
    const { subject } = context.switchToHttp().getRequest<SubjectRequest>();
    if (!subject || !roles.includes(subject.role)) throw authErrors.FORBIDDEN({ roles });
    return true;
  }
}
