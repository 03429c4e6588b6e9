import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Snapshot } from '../../../platform/database/snapshot.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import {
  HoldsPersonalData,
  type PersonalDataHolder,
  type PersonalSection,
  sectionsOf,
} from '../../../platform/privacy/personal-data.decorator.js';
import { KycDocumentsRepository } from './kyc-documents.repository.js';
import { kycFilesDiscarded } from './kyc.events.js';

@HoldsPersonalData()
@Injectable()
export class KycPersonalData implements PersonalDataHolder {
  readonly tables = ['kyc_documents'];
  readonly kept = [
    {
      table: 'kyc_cases',
      why: 'the law asks to prove that identities were checked, when and by whom; states, dates and ids only, of the document its kind and country',
    },
    {
      table: 'kyc_provider_events',
      why: 'what a provider has told, once each; ids of events and sessions only',
    },
  ];

  constructor(
    private readonly documents: KycDocumentsRepository,
    private readonly outbox: OutboxService,
  ) {}

  exportOf(snapshot: Snapshot, userId: string): PersonalSection[] {
    const section = sectionsOf(snapshot, userId);
    return [
      section(
        'identity-checks',
        `SELECT id, status, provider, document_kind, country, round, provider_reference, void_references, changes, reason, note, created_at, submitted_at,
                decided_at, expires_at
         FROM kyc_cases WHERE user_id = $1 ORDER BY id`,
      ),
      section(
        'identity-documents',
        `SELECT d.id, d.case_id, d.round, d.part, d.media_type, d.bytes, encode(d.sha256, 'hex') AS sha256, d.uploaded_at
         FROM kyc_documents d JOIN kyc_cases c ON c.id = d.case_id WHERE c.user_id = $1 ORDER BY d.id`,
      ),
      section(
        'identity-provider-events',
        `SELECT e.type, e.provider, e.provider_reference, e.received_at, e.outcome
         FROM kyc_provider_events e JOIN kyc_cases c ON c.id = e.case_id WHERE c.user_id = $1 ORDER BY e.id`,
      ),
    ];
  }

  /** A document that was shown is known again, as an address is; one that only was announced proves nothing. */
  async identitiesOf(manager: EntityManager, userId: string): Promise<Buffer[]> {
    const rows = await manager.query<{ number_index: Buffer }[]>(
      `SELECT DISTINCT number_index FROM kyc_cases
       WHERE user_id = $1 AND number_index IS NOT NULL AND status IN ('verified', 'expired')`,
      [userId],
    );
    return rows.map((row) => row.number_index);
  }

  /** The keys go here, and with them what is in the files, in every backup too; the files themselves once this is committed. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    const documentIds = await this.documents.forgetAll(manager, userId);
    if (documentIds.length > 0) await this.outbox.publish(manager, kycFilesDiscarded, { documentIds });
    await manager.query(
      `UPDATE kyc_cases SET number_index = NULL, note = NULL,
              reason = CASE WHEN status IN ('pending', 'resubmit', 'in_review') THEN 'account_erased' ELSE reason END,
              status = CASE WHEN status IN ('pending', 'resubmit', 'in_review') THEN 'rejected' ELSE status END
       WHERE user_id = $1`,
      [userId],
    );
  }
}
