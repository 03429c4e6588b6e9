import { EnumField, UuidField } from '../../../platform/http/fields.js';
import { defineSocketEvent } from '../../../platform/realtime/socket-contract.js';
import { KYC_STATES, type KycState } from './domain/kyc-machine.js';

export class KycUpdatedDto {
  @UuidField()
  id: string;

  @EnumField(KYC_STATES, { example: 'verified' })
  state: KycState;
}

export const kycUpdated = defineSocketEvent({
  namespace: '/notifications',
  name: 'kyc:updated',
  payload: KycUpdatedDto,
  summary: 'The check of the user’s identity has come to another state',
  description: 'To every socket of the user. `GET compliance/kyc` tells what is asked of them next.',
});
