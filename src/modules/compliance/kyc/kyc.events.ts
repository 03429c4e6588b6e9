import { defineEvent } from '../../../platform/outbox/event.js';
import type { KycState } from './domain/kyc-machine.js';

/** What a user is told of by mail too. */
export type IdentityChange =
  'identityVerified' | 'identityRejected' | 'identityAskedAgain' | 'identityExpired' | 'identityRevoked';

/** A case has come to another state. `change` names what is more than a step on the way. */
export const kycChanged = defineEvent<{
  userId: string;
  caseId: string;
  state: KycState;
  change: IdentityChange | null;
}>('compliance.kyc-changed');

/** A provider has told something, which is stored. */
export const kycEventReceived = defineEvent<{ id: string }>('compliance.kyc-event-received');

/** Nobody can read these files any more: they can go. */
export const kycFilesDiscarded = defineEvent<{ documentIds: string[] }>('compliance.kyc-files-discarded');

/** When who was verified has to be verified again; its subject is the case's id. */
export const KYC_DEADLINES = { expire: 'kyc.expire' } as const;
