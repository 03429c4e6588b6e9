import { Injectable } from '@nestjs/common';
import { kycWebhookErrors } from '../kyc.errors.js';
import type { DocumentKind } from './domain/document-parts.js';

/** What somebody is sent to a provider for. */
export interface KycOrder {
  /** Ours, of the case and the round: asking twice with one key makes one session. */
  readonly key: string;
  readonly caseId: string;
  readonly document: DocumentKind;
  /** Where the provider's page sends them back to. */
  readonly returnUrl: string;
}

/** `open` waits for the user, `gone` never will again. */
export type KycSessionStatus = 'open' | 'processing' | 'verified' | 'gone';

/** A provider's present word. */
export interface KycSession {
  readonly reference: string;
  readonly status: KycSessionStatus;
  readonly caseId: string | null;
  /** The provider's code of what was wrong with the last try; null when there was none. */
  readonly failure: string | null;
  /** The provider's page; null when it has none to offer. */
  readonly url: string | null;
  /** For the provider's own library in a client. Never kept. */
  readonly clientSecret: string | null;
  /** YYYY-MM-DD, as the document says; null: it was not told. */
  readonly birthDate: string | null;
  readonly document: {
    readonly number: string | null;
    readonly country: string | null;
    readonly kind: DocumentKind | null;
    readonly ends: string | null;
  } | null;
}

/** That something has changed; what, the provider is asked. */
export interface KycProviderEvent {
  readonly eventId: string;
  readonly type: string;
  readonly reference: string;
  readonly caseId: string | null;
}

export interface KycWebhookRequest {
  readonly rawBody: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Whoever looks at documents and faces in our place: an adapter to its documented protocol, and no more. */
export interface KycProvider {
  readonly name: string;
  /** Throws KYC_PROVIDER_UNAVAILABLE. */
  createSession(order: KycOrder): Promise<KycSession>;
  /** Null when it knows of no such session. Throws KYC_PROVIDER_UNAVAILABLE. */
  fetchSession(reference: string): Promise<KycSession | null>;
  /** Verifies and reads; null of what is no news of a session. Throws KYC_WEBHOOK_INVALID. */
  parseWebhook(request: KycWebhookRequest): KycProviderEvent | null;
}

/** The providers that are configured. None: operators look at uploads themselves. */
@Injectable()
export class KycProviders {
  private readonly byName = new Map<string, KycProvider>();

  register(provider: KycProvider): void {
    this.byName.set(provider.name, provider);
  }

  /** Who takes the cases that begin now. */
  get usual(): KycProvider | null {
    return this.byName.values().next().value ?? null;
  }

  /** Throws KYC_PROVIDER_UNKNOWN. */
  get(name: string): KycProvider {
    const provider = this.byName.get(name);
    if (!provider) throw kycWebhookErrors.KYC_PROVIDER_UNKNOWN({ provider: name });
    return provider;
  }
}
