import { defineEvent } from '../../../platform/outbox/event.js';
import type { LinkPurpose } from './mail-links.types.js';

/** A link was asked for; the worker makes its secret and mails it. */
export const linkRequested = {
  email_verification: defineEvent<{ linkId: string }>('auth.email-verification-requested'),
  password_reset: defineEvent<{ linkId: string }>('auth.password-reset-requested'),
} as const satisfies Record<LinkPurpose, object>;
