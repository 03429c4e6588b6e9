import type { DocumentKind, Part } from './domain/document-parts.js';
import type { MediaType } from './domain/file-type.js';
import type { KycState } from './domain/kyc-machine.js';

/** A row of `kyc_cases`. */
export interface KycCaseRow {
  readonly id: string;
  readonly user_id: string;
  readonly status: KycState;
  readonly provider: string;
  readonly document_kind: DocumentKind;
  readonly country: string;
  readonly round: number;
  readonly number_index: Buffer | null;
  readonly provider_reference: string | null;
  /** Sessions of the provider that count no more. */
  readonly void_references: readonly string[];
  /** How often another document was chosen. */
  readonly changes: number;
  readonly reason: string | null;
  readonly note: string | null;
  readonly created_at: Date;
  readonly submitted_at: Date | null;
  readonly decided_at: Date | null;
  readonly decided_by: string | null;
  readonly expires_at: Date | null;
}

/** A row of `kyc_documents`. */
export interface KycDocumentRow {
  readonly id: string;
  readonly case_id: string;
  readonly round: number;
  readonly part: Part;
  readonly media_type: MediaType;
  readonly bytes: number;
  readonly sha256: Buffer;
  readonly data_key: Buffer;
  readonly uploaded_at: Date;
}

/** Why an operator does not approve, or takes it back. */
export const KYC_REASONS = [
  'unreadable',
  'wrong_document',
  'document_expired',
  'not_the_same_person',
  'altered',
  'stolen',
  'second_account',
  'other',
] as const;
export type KycReason = (typeof KYC_REASONS)[number];

/** Another account is verified by the same document: an operator decides, and has to know. */
export const DOCUMENT_ELSEWHERE = 'document_elsewhere';

/** Uploads that operators look at; every other provider is one of KycProviders. */
export const MANUAL = 'manual';

/** What a document has shown. */
export interface ProvedIdentity {
  /** Calendar day, YYYY-MM-DD. */
  readonly birthDate: string;
  readonly numberIndex: Buffer | null;
  /** Its last day, YYYY-MM-DD; null when it does not say, or nobody looked. */
  readonly documentEnds: string | null;
}

/** Who decides. Null: a provider, or time. */
export interface Decider {
  readonly operatorId: string | null;
  readonly reason: string | null;
  readonly note: string | null;
}

export const BY_ITSELF: Decider = { operatorId: null, reason: null, note: null };
