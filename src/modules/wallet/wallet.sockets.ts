import { ObjectField, TimeField } from '../../platform/http/fields.js';
import { defineSocketEvent } from '../../platform/realtime/socket-contract.js';
import { BalanceDto } from './dto/wallet.dto.js';

export class WalletUpdatedDto {
  @ObjectField(() => BalanceDto, { list: true, description: 'One a currency, as GET wallet answers them' })
  balances: BalanceDto[];

  @TimeField({ description: 'Of two messages the one with the later time is the newer' })
  asOf: string;
}

export const walletUpdated = defineSocketEvent({
  namespace: '/notifications',
  name: 'wallet:updated',
  payload: WalletUpdatedDto,
  summary: 'Money of the user has moved',
  description:
    'To every socket of the user, with what they have now. Messages may overtake each other: the one with the latest `asOf` counts.',
});
