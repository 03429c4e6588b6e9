import { EnumField, UuidField } from '../../../platform/http/fields.js';
import { defineSocketEvent } from '../../../platform/realtime/socket-contract.js';
import { WITHDRAWAL_STATES, type WithdrawalState } from '../domain/withdrawal-machine.js';

export class WithdrawalUpdatedDto {
  @UuidField()
  id: string;

  @EnumField(WITHDRAWAL_STATES, { example: 'paid' })
  status: WithdrawalState;
}

export const withdrawalUpdated = defineSocketEvent({
  namespace: '/notifications',
  name: 'withdrawal:updated',
  payload: WithdrawalUpdatedDto,
  summary: 'A withdrawal has come to another state',
  description: 'To every socket of the user whose it is. `GET wallet/withdrawals` tells all of it.',
});
