import Stripe from 'stripe';
import type { AppConfig } from '../../../../platform/config/app-config.js';
import { stripeClient } from '../../../../platform/stripe/stripe-client.js';
import { kycErrors, kycWebhookErrors } from '../../kyc.errors.js';
import type { DocumentKind } from '../domain/document-parts.js';
import type {
  KycOrder,
  KycProvider,
  KycProviderEvent,
  KycSession,
  KycSessionStatus,
  KycWebhookRequest,
} from '../kyc-provider.js';

type VerificationSession = Stripe.Identity.VerificationSession;
type AllowedType = Stripe.Identity.VerificationSessionCreateParams.Options.Document.AllowedType;

/** Seconds that a delivery may be old, which is what Stripe advises. */
const TOLERANCE_SECONDS = 300;
const RETRY_SECONDS = 10;
const KINDS: Readonly<Record<DocumentKind, AllowedType>> = {
  passport: 'passport',
  id_card: 'id_card',
  driving_licence: 'driving_license',
};
/** Told only to a restricted key that may read sensitive results, and only when asked for by name. */
const SENSITIVE = [
  'verified_outputs.dob',
  'last_verification_report.document.number',
  'last_verification_report.document.expiration_date',
];
const TOLD = new Set([
  'identity.verification_session.processing',
  'identity.verification_session.requires_input',
  'identity.verification_session.verified',
  'identity.verification_session.canceled',
  'identity.verification_session.redacted',
]);
const { errors } = Stripe;

/**
 * Stripe Identity, by Stripe's own library: the document and a matching selfie, taken live on Stripe's page. An event says only which
 * session has changed; what it has come to is asked for, so that events may be late, twice, or out of order. Images stay at Stripe.
 * https://docs.stripe.com/identity/verification-sessions
 */
export class StripeIdentityProvider implements KycProvider {
  readonly name = 'stripe-identity';
  private readonly stripe: Stripe;
  private readonly webhookSecret: string;

  constructor(
    { secretKey, webhookSecret }: { readonly secretKey: string; readonly webhookSecret: string },
    config: AppConfig,
  ) {
    this.stripe = stripeClient(secretKey, config);
    this.webhookSecret = webhookSecret;
  }

  async createSession({ key, caseId, document, returnUrl }: KycOrder): Promise<KycSession> {
    const created = await asking(async () =>
      this.stripe.identity.verificationSessions.create(
        {
          type: 'document',
          options: {
            document: {
              allowed_types: [KINDS[document]],
              require_live_capture: true,
              require_matching_selfie: true,
            },
          },
          metadata: { caseId },
          return_url: returnUrl,
        },
        { idempotencyKey: key },
      ),
    );
    return sessionOf(created);
  }

  async fetchSession(reference: string): Promise<KycSession | null> {
    try {
      const found = await asking(async () =>
        this.stripe.identity.verificationSessions.retrieve(reference, { expand: SENSITIVE }),
      );
      return sessionOf(found);
    } catch (error) {
      if (error instanceof StripeIdentityError && error.code === 'resource_missing') return null;
      throw error;
    }
  }

  parseWebhook({ rawBody, headers }: KycWebhookRequest): KycProviderEvent | null {
    const signature = headers['stripe-signature'];
    let event: Stripe.Event;
    try {
      const header = typeof signature === 'string' ? signature : '';
      event = this.stripe.webhooks.constructEvent(rawBody, header, this.webhookSecret, TOLERANCE_SECONDS);
    } catch (error) {
      throw kycWebhookErrors.KYC_WEBHOOK_INVALID({}, { cause: error });
    }
    if (typeof event?.id !== 'string' || !TOLD.has(event.type)) return null;
    const session = event.data.object as VerificationSession;
    if (typeof session?.id !== 'string') throw kycWebhookErrors.KYC_WEBHOOK_INVALID();
    const caseId = session.metadata?.['caseId'] ?? null;
    return { eventId: event.id, type: event.type, reference: session.id, caseId };
  }
}

function sessionOf(session: VerificationSession): KycSession {
  return {
    reference: session.id,
    status: statusOf(session),
    caseId: session.metadata['caseId'] ?? null,
    failure: session.last_error?.code ?? null,
    url: session.url,
    clientSecret: session.client_secret,
    birthDate: dayOf(session.verified_outputs?.dob),
    document: documentOf(session),
  };
}

function statusOf({ status, redaction }: VerificationSession): KycSessionStatus {
  // Of what was verified and is redacted the outcome stays; its figures are gone, and were taken over before.
  if (redaction !== null && status !== 'verified') return 'gone';
  switch (status) {
    case 'requires_input':
      return 'open';
    case 'processing':
      return 'processing';
    case 'verified':
      return 'verified';
    default:
      return 'gone';
  }
}

function documentOf({ last_verification_report: report }: VerificationSession): KycSession['document'] {
  const document = typeof report === 'object' ? report?.document : null;
  if (!document) return null;
  const [kind = null] = Object.entries(KINDS).find(([, type]) => type === document.type) ?? [];
  return {
    number: document.number ?? null,
    country: document.issuing_country,
    kind: kind as DocumentKind | null,
    ends: dayOf(document.expiration_date),
  };
}

/** A calendar day; null unless all of it is told. */
function dayOf(
  date: { day: number | null; month: number | null; year: number | null } | null | undefined,
): string | null {
  if (date?.day == null || date.month == null || date.year == null) return null;
  const [month, day] = [date.month, date.day].map((part) => String(part).padStart(2, '0'));
  return `${String(date.year).padStart(4, '0')}-${month}-${day}`;
}

/** Stripe has refused, which is our own mistake; without its message, that may quote values. */
class StripeIdentityError extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

async function asking<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (!(error instanceof errors.StripeError)) throw error;
    const { type, statusCode, code, param, requestId } = error;
    const told = new StripeIdentityError(
      `${type} ${[statusCode, code, param, requestId].filter((part) => part !== undefined).join(' ')}`,
      code,
    );
    const ours =
      error instanceof errors.StripeInvalidRequestError ||
      error instanceof errors.StripeAuthenticationError ||
      error instanceof errors.StripePermissionError ||
      error instanceof errors.StripeIdempotencyError;
    if (ours) throw told;
    throw kycErrors.KYC_PROVIDER_UNAVAILABLE({ retryAfter: RETRY_SECONDS }, { cause: told });
  }
}
