import { type Params, stripeResources } from './stripe-document.js';
import { StripeAccount, type StripeEvent } from './stripe-account.js';
import type { StripeObject } from './stripe-objects.js';
import { Refused } from './stripe-rules.js';
import { STRIPE_KEY, StripeServer } from './stripe-server.js';

export const IDENTITY_WEBHOOK_SECRET = 'whsec_identityidentity';

interface Shown {
  readonly dob?: { day: number; month: number; year: number } | null;
  readonly number?: string | null;
  readonly expires?: { day: number; month: number; year: number } | null;
  readonly country?: string;
}

/** What is told only when it is asked for by name. */
const SENSITIVE = ['number', 'expiration_date', 'dob'];
const TYPES = ['passport', 'driving_license', 'id_card'];

/** Stripe Identity, in memory: what was asked of it, and what people, cameras and Stripe's own eyes do. */
class IdentityAccount extends StripeAccount {
  private readonly sessions = new Map<string, StripeObject>();
  private readonly reports = new Map<string, StripeObject>();
  private made = 0;

  override perform(operation: string, id: string | null, params: Params): object {
    if (operation === 'POST /v1/identity/verification_sessions') return this.create(params);
    if (operation === 'GET /v1/identity/verification_sessions/{session}')
      return this.told(this.session(id!), (params['expand'] as string[] | undefined) ?? []);
    return super.perform(operation, id, params);
  }

  get allSessions(): StripeObject[] {
    return [...this.sessions.values()];
  }

  session(id: string): StripeObject {
    const found = this.sessions.get(id);
    if (!found) throw new Refused(404, 'resource_missing', 'session', `No such verificationsession: '${id}'`);
    return found;
  }

  /** The user has shown everything, and Stripe looks at it. */
  process(id: string): StripeEvent {
    return this.news('processing', this.change(id, { status: 'processing', url: null, client_secret: null }));
  }

  verify(id: string, shown: Shown = {}): StripeEvent {
    const { dob = { day: 1, month: 1, year: 1990 }, number = null, expires = null, country = 'US' } = shown;
    const allowed = this.session(id)['options'] as { document: { allowed_types: string[] } };
    const report = this.report(id, {
      status: 'verified',
      dob,
      number,
      expiration_date: expires,
      issuing_country: country,
      type: allowed.document.allowed_types[0],
    });
    const verified_outputs = {
      address: null,
      dob,
      first_name: 'Jenny',
      id_number: null,
      id_number_type: null,
      last_name: 'Rosen',
    };
    return this.news(
      'verified',
      this.change(id, {
        status: 'verified',
        url: null,
        client_secret: null,
        last_error: null,
        last_verification_report: report,
        verified_outputs,
      }),
    );
  }

  /** It does not fit; the user may try again on the same page. */
  fail(id: string, code: string): StripeEvent {
    const report = this.report(id, { status: 'unverified', error: { code, reason: 'planned' } });
    const open = { status: 'requires_input', ...this.entrance(id) };
    return this.news(
      'requires_input',
      this.change(id, { ...open, last_error: { code, reason: 'planned' }, last_verification_report: report }),
    );
  }

  cancel(id: string): StripeEvent {
    return this.news('canceled', this.change(id, { status: 'canceled', url: null, client_secret: null }));
  }

  redact(id: string): StripeEvent {
    const status = this.session(id)['status'] === 'verified' ? 'verified' : 'canceled';
    const gone = { status, redaction: { status: 'redacted' }, verified_outputs: null, url: null };
    return this.news('redacted', this.change(id, { ...gone, client_secret: null }));
  }

  private create(params: Params): StripeObject {
    const { type, options, metadata = {}, return_url: returnUrl } = params as Record<string, unknown>;
    const { document } = (options ?? {}) as { document?: { allowed_types?: string[] } };
    if (document?.allowed_types?.some((one) => !TYPES.includes(one)) === true)
      throw new Refused(400, undefined, 'options[document][allowed_types]', 'Invalid type');
    if (typeof returnUrl === 'string' && !URL.canParse(returnUrl))
      throw new Refused(400, 'url_invalid', 'return_url', 'Not a valid URL');
    this.made += 1;
    const id = `vs_1standin${this.made}`;
    const session = {
      ...structuredClone(stripeResources['identity.verification_session']!),
      id,
      object: 'identity.verification_session',
      created: this.now,
      status: 'requires_input',
      type,
      options,
      metadata,
      last_error: null,
      last_verification_report: null,
      redaction: null,
      ...this.entrance(id),
    };
    this.sessions.set(id, session);
    return this.told(session, []);
  }

  private entrance(id: string): object {
    return { url: `https://verify.stripe.com/start/${id}`, client_secret: `${id}_secret_standin` };
  }

  private report(session: string, document: object): string {
    this.made += 1;
    const id = `vr_1standin${this.made}`;
    const plain = structuredClone(stripeResources['identity.verification_report']!) as { document: object };
    this.reports.set(id, {
      ...plain,
      id,
      object: 'identity.verification_report',
      created: this.now,
      verification_session: session,
      document: { ...plain.document, ...document },
    });
    return id;
  }

  private change(id: string, fields: object): StripeObject {
    const changed = Object.assign(this.session(id), fields);
    return changed;
  }

  /** As the API tells a session: results and reports when asked for, what is sensitive only by its name. */
  private told(session: StripeObject, expand: readonly string[]): StripeObject {
    const copy = structuredClone(session);
    const outputs = copy['verified_outputs'] as Record<string, unknown> | null | undefined;
    const wanted = (name: string) => expand.some((path) => path === name || path.startsWith(`${name}.`));
    for (const path of expand)
      if (!/^(verified_outputs|last_verification_report|last_error)(\.|$)/.test(path))
        throw new Refused(400, undefined, 'expand', `This property cannot be expanded (${path}).`);
    if (!wanted('verified_outputs')) delete copy['verified_outputs'];
    else if (outputs && !expand.includes('verified_outputs.dob')) delete outputs['dob'];
    if (outputs && !expand.includes('verified_outputs.id_number')) delete outputs['id_number'];
    const report = copy['last_verification_report'];
    if (typeof report === 'string' && wanted('last_verification_report')) {
      const whole = structuredClone(this.reports.get(report)!) as StripeObject & { document: Params };
      const hidden = SENSITIVE.filter(
        (name) => !expand.includes(`last_verification_report.document.${name}`),
      );
      const shown = Object.entries(whole.document).filter(([name]) => !hidden.includes(name));
      Object.assign(whole, { document: Object.fromEntries(shown) });
      copy['last_verification_report'] = whole;
    }
    return copy;
  }

  private news(what: string, session: StripeObject): StripeEvent {
    this.made += 1;
    return {
      id: `evt_1identity${this.made}`,
      object: 'event',
      type: `identity.verification_session.${what}`,
      created: this.now,
      api_version: '2026-10-28.endive',
      data: { object: this.told(session, []) },
    };
  }
}

/** Stands in for Stripe where it verifies identities: takes what its OpenAPI document takes, and knows nothing of our code. */
export class IdentityServer extends StripeServer {
  override readonly account = new IdentityAccount();

  override get env(): Record<string, string> {
    return {
      STRIPE_IDENTITY_KEY: STRIPE_KEY,
      STRIPE_IDENTITY_WEBHOOK_SECRET: IDENTITY_WEBHOOK_SECRET,
      STRIPE_API_BASE: this.url,
    };
  }
}
