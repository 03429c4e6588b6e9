import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { HandlerMetadata } from '../../platform/http/handler-metadata.js';
import { mayDo, type Permission } from '../../platform/security/permissions.js';
import { PERMISSION } from '../../platform/security/requires-permission.decorator.js';
import type { SubjectRequest } from '../../platform/security/subject.js';
import { authErrors } from './auth.errors.js';
import { SecondFactorPolicy } from './totp/second-factor.policy.js';

/** The last guard: what the role that the live session tells may do, and whether it needs a second factor for it. */
@Injectable()
export class PermissionsGuard implements CanActivate {
  private readonly permissions = new HandlerMetadata<Permission>(PERMISSION);

  constructor(private readonly secondFactor: SecondFactorPolicy) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const permission = this.permissions.of(context);
    if (permission === undefined) return true;
    const { subject } = context.switchToHttp().getRequest<SubjectRequest>();
    if (!subject || !mayDo(subject.role, permission)) throw authErrors.FORBIDDEN({ permission });
    return this.secondFactor.allows(subject);
  }
}
