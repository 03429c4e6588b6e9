import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import type { AccountRef } from '../../src/modules/wallet/ledger.types.js';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

const FEES: AccountRef = { kind: 'fees', owner: 'house', currency: 'USD' };

describe('held money', () => {
  let system: System;
  let wallets: Wallets;
  let ledger: LedgerService;

  beforeAll(async () => {
    system = await startSystem({ worker: false });
    wallets = new Wallets(system);
    ledger = system.app.get(LedgerService);
  });
  afterEach(async () => {
    const { rules } = await system.app.get(VerifyService).verify(null);
    expect(rules.filter(({ problems }) => problems.length > 0)).toEqual([]);
  });
  afterAll(async () => system.stop());

  const run = <T>(work: (manager: EntityManager) => Promise<T>): Promise<T> =>
    system.app.get(UnitOfWork).run(work);

  async function userWith(amount: bigint): Promise<string> {
    const userId = randomUUID();
    if (amount > 0n) await wallets.deposit(userId, amount);
    return userId;
  }

  const held = async (userId: string) => {
    const [balance] = await ledger.balancesOf(userId);
    return { available: balance?.available, held: balance?.held };
  };

  it('holds, captures in parts, and gives the rest back with the last one', async () => {
    const userId = await userWith(1000n);
    const reference = `hold:${randomUUID()}`;
    const order = { reference, userId, amount: 800n, currency: 'USD', purpose: 'match', expiresAt: null };
    const { holdId, replayed } = await run(async (manager) => ledger.hold(manager, order));
    expect(replayed).toBe(false);
    expect(await run(async (manager) => ledger.hold(manager, order))).toEqual({ holdId, replayed: true });
    expect(await held(userId)).toEqual({ available: 200n, held: 800n });

    const capture = { holdId, reference: `capture:${randomUUID()}`, amount: 300n, to: FEES };
    const first = await run(async (manager) => ledger.capture(manager, capture));
    expect(await run(async (manager) => ledger.capture(manager, capture))).toEqual({
      ...first,
      replayed: true,
    });
    await expect(wallets.capture(holdId, 501n, FEES)).rejects.toMatchObject({
      code: 'HOLD_TOO_SMALL',
      details: { left: 500, currency: 'USD' },
    });
    await expect(wallets.capture(holdId, 100n, { ...FEES, currency: 'XAF' })).rejects.toMatchObject({
      code: 'HOLD_TOO_SMALL',
    });
    await wallets.capture(holdId, 100n, FEES, true);
    expect(await held(userId)).toEqual({ available: 600n, held: 0n });
    await expect(wallets.release(holdId)).rejects.toMatchObject({
      code: 'HOLD_NOT_OPEN',
      details: { status: 'captured' },
    });
    const { rows } = await system.db.query(
      'SELECT status, captured::int, released::int FROM ledger_holds WHERE id = $1',
      [holdId],
    );
    expect(rows).toEqual([{ status: 'captured', captured: 400, released: 400 }]);
  });

  it("captures into the user's own money, and into another's", async () => {
    const [userId, other] = [await userWith(100n), await userWith(0n)];
    const holdId = await wallets.hold(userId, 100n);
    await wallets.capture(holdId, 30n, wallets.available(userId));
    await wallets.capture(holdId, 50n, wallets.available(other), true);
    expect(await held(userId)).toEqual({ available: 50n, held: 0n });
    expect(await held(other)).toEqual({ available: 50n, held: 0n });
  });

  it('takes no amounts that are not positive, and pays no held account', async () => {
    const userId = await userWith(100n);
    const holdId = await wallets.hold(userId, 50n);
    await wallets.capture(holdId, 20n, FEES);
    for (const amount of [0n, -5n]) {
      await expect(wallets.hold(userId, amount)).rejects.toThrow(RangeError);
      await expect(wallets.capture(holdId, amount, FEES)).rejects.toThrow(RangeError);
      await expect(
        system.db.query("SELECT * FROM ledger_capture($1, $2, '', $3, 'fees', 'house', 'USD', false)", [
          holdId,
          randomUUID(),
          amount,
        ]),
      ).rejects.toThrow('a capture takes something');
    }
    const other = { kind: 'user_held', owner: await userWith(1n), currency: 'USD' } as const;
    await expect(wallets.capture(holdId, 5n, other)).rejects.toThrow('a capture takes something');
    await expect(wallets.move(wallets.available(userId), other, 5n)).rejects.toThrow('by its holds only');
    expect(await held(userId)).toEqual({ available: 50n, held: 30n });
  });

  it('releases once, and refuses what is not there or not a hold', async () => {
    const userId = await userWith(100n);
    const holdId = await wallets.hold(userId, 100n);
    const release = { holdId, reference: `release:${randomUUID()}` };
    const first = await run(async (manager) => ledger.release(manager, release));
    expect(await run(async (manager) => ledger.release(manager, release))).toEqual({
      ...first,
      replayed: true,
    });
    await expect(wallets.release(holdId)).rejects.toMatchObject({ code: 'HOLD_NOT_OPEN' });
    await expect(wallets.release(randomUUID())).rejects.toMatchObject({ code: 'HOLD_NOT_FOUND' });
    await expect(wallets.hold(userId, 101n)).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
    expect(await held(userId)).toEqual({ available: 100n, held: 0n });
  });

  it('gives a captured amount back as available money, and does not reverse holds and releases', async () => {
    const userId = await userWith(1000n);
    const holdId = await wallets.hold(userId, 800n);
    const captured = await wallets.capture(holdId, 300n, FEES, true);
    await wallets.reverse(captured.transferId);
    expect(await held(userId)).toEqual({ available: 1000n, held: 0n });
    const other = await wallets.hold(userId, 100n);
    const released = await wallets.release(other);
    await expect(wallets.reverse(released.transferId)).rejects.toMatchObject({
      code: 'TRANSFER_NOT_REVERSIBLE',
      details: { type: 'release' },
    });
  });
});
