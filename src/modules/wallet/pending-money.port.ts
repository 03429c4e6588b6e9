import { Injectable } from '@nestjs/common';

export interface PendingMoney {
  readonly userId: string;
  readonly currency: string;
  /** Minor units. */
  readonly amount: bigint;
}

/** What is on its way to these users' wallets and not booked yet, one row a user and currency. Reads only. */
export type PendingMoneySource = (userIds: readonly string[]) => Promise<readonly PendingMoney[]>;

/** Where modules above tell of money that waits elsewhere, such as deposits at a provider. Filled at boot. */
@Injectable()
export class PendingMoneyPort {
  private readonly sources: PendingMoneySource[] = [];

  register(source: PendingMoneySource): void {
    this.sources.push(source);
  }

  /** Sums by currency, those of all sources. */
  async of(userId: string): Promise<ReadonlyMap<string, bigint>> {
    const sums = new Map<string, bigint>();
    for (const source of this.sources)
      for (const { currency, amount } of await source([userId]))
        sums.set(currency, (sums.get(currency) ?? 0n) + amount);
    return sums;
  }
}
