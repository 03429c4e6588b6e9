import { randomUUID } from 'node:crypto';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import type { AccountRef, Posted } from '../../src/modules/wallet/ledger.types.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import type { System } from './system.js';

type Owner = string | { userId: string };

/** Moves money as the modules above the wallet do, each time in a transaction of its own. */
export class Wallets {
  constructor(private readonly system: System) {}

  available(user: Owner, currency = 'USD'): AccountRef {
    return { kind: 'user_available', owner: idOf(user), currency };
  }

  /** Money from a provider. */
  async deposit(user: Owner, amount: bigint, currency = 'USD', type = 'deposit'): Promise<Posted> {
    return await this.move(
      { kind: 'clearing', owner: 'sandbox', currency },
      this.available(user, currency),
      amount,
      type,
    );
  }

  /** Many of one unit each, in turns of the currencies, in one call. */
  async deposits(user: Owner, count: number, currencies: readonly string[]): Promise<void> {
    await this.work(async (ledger, manager) =>
      ledger.postAll(
        manager,
        Array.from({ length: count }, (_, n) => {
          const currency = currencies[n % currencies.length] ?? 'USD';
          return {
            reference: `deposit:${randomUUID()}`,
            type: 'deposit',
            legs: [
              { account: { kind: 'clearing', owner: 'sandbox', currency } as const, amount: -1n },
              { account: this.available(user, currency), amount: 1n },
            ],
          };
        }),
      ),
    );
  }

  async move(from: AccountRef, to: AccountRef, amount: bigint, type = 'payment'): Promise<Posted> {
    return await this.post(type, [from, -amount], [to, amount]);
  }

  async post(type: string, ...legs: [AccountRef, bigint][]): Promise<Posted> {
    return await this.work(async (ledger, manager) =>
      ledger.post(manager, {
        reference: `${type}:${randomUUID()}`,
        type,
        legs: legs.map(([account, amount]) => ({ account, amount })),
      }),
    );
  }

  /** Answers the id of the hold. */
  async hold(user: Owner, amount: bigint, currency = 'USD', expiresAt: Date | null = null): Promise<string> {
    const { holdId } = await this.work(async (ledger, manager) =>
      ledger.hold(manager, {
        reference: `hold:${randomUUID()}`,
        userId: idOf(user),
        amount,
        currency,
        purpose: 'withdrawal',
        expiresAt,
      }),
    );
    return holdId;
  }

  async capture(holdId: string, amount: bigint, to: AccountRef, final = false): Promise<Posted> {
    return await this.work(async (ledger, manager) =>
      ledger.capture(manager, { holdId, reference: `capture:${randomUUID()}`, amount, to, final }),
    );
  }

  async release(holdId: string): Promise<Posted> {
    return await this.work(async (ledger, manager) =>
      ledger.release(manager, { holdId, reference: `release:${randomUUID()}` }),
    );
  }

  async reverse(transferId: string): Promise<Posted> {
    return await this.work(async (ledger, manager) =>
      ledger.reverse(manager, {
        transferId,
        reference: `reversal:${randomUUID()}`,
        reason: 'test',
        requestedBy: null,
      }),
    );
  }

  private async work<T>(
    work: (ledger: LedgerService, manager: Parameters<LedgerService['post']>[0]) => Promise<T>,
  ): Promise<T> {
    const { app } = this.system;
    const ledger = app.get(LedgerService, { strict: false });
    return await app.get(UnitOfWork).run(async (manager) => work(ledger, manager));
  }
}

function idOf(user: Owner): string {
  return typeof user === 'string' ? user : user.userId;
}
