import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

export const ROLES = ['user', 'seller', 'moderator', 'compliance', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks: set on the request by the authentication guard. */
export interface Subject {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: Role;
  /** Calendar day, YYYY-MM-DD: as declared, or as a document showed it. */
  readonly birthDate: string;
  /** Somebody other than they has shown the date to be true. */
  readonly ageVerified: boolean;
  /** When the session's last reality check was acknowledged, or the session began. */
  readonly checkedAt: Date;
  /** Minutes between its reality checks, as they and the places where it was used ask; null: it was used nowhere yet. */
  readonly checkMinutes: number | null;
  /** A place where it was used asks that it ends once it is idle. */
  readonly endsIdle: boolean;
}

export interface SubjectRequest extends Request {
  subject?: Subject;
  /** Thumbprint of the key whose proof (DPoP) came with the request and was taken. */
  jkt?: string;
}

/** The signed-in caller. Only on routes that are not public. */
export const CurrentSubject = createParamDecorator((_: unknown, context: ExecutionContext): Subject => {
  const { subject } = context.switchToHttp().getRequest<SubjectRequest>();
  if (!subject) throw new Error('CurrentSubject was asked for on a route that lets anyone in');
  return subject;
});
