import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { SocketsService } from '../../platform/realtime/sockets.service.js';
import { walletUpdated } from './wallet.sockets.js';
import { WalletService } from './wallet.service.js';

/** `wallet:updated` on `/notifications`: what users have now, told when it has changed. */
@Injectable()
export class WalletUpdatesService {
  constructor(
    private readonly wallet: WalletService,
    private readonly sockets: SocketsService,
    private readonly clock: Clock,
  ) {}

  /**
   * The balances are read now, so that a late message tells no old ones; `asOf` is before the reading: of two messages
   * the one with the greater is the newer.
   */
  async tell(userIds: readonly string[]): Promise<void> {
    for (const userId of new Set(userIds)) {
      const asOf = this.clock.now().toISOString();
      const balances = await this.wallet.balancesOf(userId);
      await this.sockets.tell({ userId, event: walletUpdated, payload: { balances, asOf } });
    }
  }
}
