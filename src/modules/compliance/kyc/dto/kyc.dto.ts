import {
  BoolField,
  DateField,
  EnumField,
  IntField,
  ListField,
  ObjectField,
  TextField,
  TimeField,
  UuidField,
} from '../../../../platform/http/fields.js';
import { CursorQuery } from '../../../../platform/http/pagination.js';
import { DOCUMENT_KINDS, type DocumentKind, type Part, PARTS } from '../domain/document-parts.js';
import { MEDIA_TYPES, type MediaType } from '../domain/file-type.js';
import { KYC_STATES, type KycState } from '../domain/kyc-machine.js';
import { KYC_REASONS, type KycReason } from '../kyc.types.js';

const NUMBER = { optional: true, max: 40, pattern: /^[\w /.-]*\w[\w /.-]*$/, example: 'X1234567' };
const COUNTRY = { max: 2, min: 2, pattern: /^[A-Z]{2}$/, example: 'US', description: 'ISO 3166 alpha-2' };

export class StartKycDto {
  @EnumField(DOCUMENT_KINDS)
  document: DocumentKind;

  @TextField({ ...COUNTRY, description: 'Who gave the document out: ISO 3166 alpha-2' })
  country: string;
}

export class KycDto {
  @EnumField(KYC_STATES, { description: '`pending` and `resubmit` wait for the caller' })
  state: KycState;

  @TextField({
    max: 40,
    nullable: true,
    example: 'manual',
    description: 'Who looks at the documents: `manual`, which are uploaded, or a provider',
  })
  provider: string | null;

  @EnumField(DOCUMENT_KINDS, { nullable: true })
  document: DocumentKind | null;

  @TextField({ ...COUNTRY, nullable: true })
  country: string | null;

  @ListField('string', {
    example: ['front', 'back', 'selfie'],
    description: 'Of the document, to be uploaded',
  })
  parts: Part[];

  @ListField('string', { example: ['selfie'], description: 'Parts that are still to be uploaded' })
  missing: Part[];

  @TextField({
    max: 100,
    nullable: true,
    example: 'unreadable',
    description: "Why it was refused or is asked for again; a provider's own code where one looked",
  })
  reason: string | null;

  @TextField({
    max: 2000,
    nullable: true,
    example: 'https://verify.stripe.com/start/test_1',
    description: 'Where a provider takes the documents; told by POST alone',
  })
  url: string | null;

  @TextField({
    max: 500,
    nullable: true,
    example: 'vs_1_secret_test',
    description: "For the provider's own library; told by POST alone. Show it to nobody else",
  })
  clientSecret: string | null;

  @TimeField({ nullable: true })
  startedAt: string | null;

  @TimeField({ nullable: true })
  submittedAt: string | null;

  @TimeField({ nullable: true })
  decidedAt: string | null;

  @TimeField({ nullable: true, description: 'When it has to be shown again' })
  expiresAt: string | null;
}

export class AgeDto {
  @DateField({ description: 'As declared, or as a document has shown' })
  birthDate: string;

  @BoolField()
  verified: boolean;

  @TimeField({ nullable: true })
  verifiedAt: string | null;

  @ObjectField(() => KycDto)
  kyc: KycDto;
}

export class UploadQuery {
  @EnumField(PARTS)
  part: Part;
}

export class AdminKycDto {
  @UuidField()
  id: string;

  @UuidField()
  userId: string;

  @EnumField(KYC_STATES)
  state: KycState;

  @TextField({ max: 40, example: 'manual' })
  provider: string;

  @EnumField(DOCUMENT_KINDS)
  document: DocumentKind;

  @TextField(COUNTRY)
  country: string;

  @IntField({ min: 1, description: 'How often documents were asked for' })
  round: number;

  @TextField({
    max: 100,
    nullable: true,
    example: 'banned_document',
    description: 'Why it was refused or asked for again, or what an operator has to know',
  })
  reason: string | null;

  @TextField({ max: 1000, nullable: true, example: 'The photo is blurred' })
  note: string | null;

  @TimeField()
  startedAt: string;

  @TimeField({ nullable: true })
  submittedAt: string | null;

  @TimeField({ nullable: true })
  decidedAt: string | null;

  @UuidField({ nullable: true, description: 'Null: nobody yet, a provider, or time' })
  decidedBy: string | null;

  @TimeField({ nullable: true })
  expiresAt: string | null;
}

export class KycDocumentDto {
  @UuidField()
  id: string;

  @EnumField(PARTS)
  part: Part;

  @IntField({ min: 1, description: 'Those of the last round count' })
  round: number;

  @EnumField(MEDIA_TYPES)
  mediaType: MediaType;

  @IntField({ min: 1, example: 204800 })
  bytes: number;

  @TextField({ max: 64, example: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9' })
  sha256: string;

  @TimeField()
  uploadedAt: string;
}

export class AdminKycDetailDto extends AdminKycDto {
  @DateField({ description: 'As the user has declared, or as a document has shown before' })
  birthDate: string;

  @IntField({ min: 0, example: 0, description: 'Other users who have shown the same document' })
  othersWithDocument: number;

  @ObjectField(() => KycDocumentDto, { list: true })
  documents: KycDocumentDto[];
}

export class AdminKycQuery extends CursorQuery {
  @EnumField(KYC_STATES.slice(1), { optional: true, description: 'Default `in_review`' })
  state?: KycState;
}

export class KycCaseParam {
  @UuidField()
  id: string;
}

export class KycDocumentParam extends KycCaseParam {
  @UuidField()
  documentId: string;
}

export const KYC_DECISIONS = ['approve', 'reject', 'resubmit', 'revoke'] as const;

export class DecideKycDto {
  @EnumField(KYC_DECISIONS, {
    description: '`resubmit` asks for the documents anew; `revoke` takes back what was approved',
  })
  decision: (typeof KYC_DECISIONS)[number];

  @IntField({
    min: 1,
    description: 'The round of the case that was looked at: what came since is not decided',
  })
  round: number;

  @DateField({ optional: true, example: '1990-01-01', description: 'To approve: as the document shows it' })
  birthDate?: string;

  @DateField({
    optional: true,
    example: '2035-12-31',
    description: 'To approve: the last day of the document',
  })
  documentEnds?: string;

  @TextField({ ...NUMBER, description: 'To approve: as the document shows it; only a keyed hash is kept' })
  number?: string;

  @BoolField({
    optional: true,
    description:
      'To approve though other accounts are verified by the same document (KYC_DOCUMENT_ELSEWHERE)',
  })
  secondAccount?: boolean;

  @EnumField(KYC_REASONS, { optional: true, description: 'Of anything but an approval; the user is told' })
  reason?: KycReason;

  @TextField({ optional: true, max: 1000, example: 'The photo is blurred', description: 'For operators' })
  note?: string;
}
