import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import type { AccountRef, Posting } from '../../src/modules/wallet/ledger.types.js';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

const FEES: AccountRef = { kind: 'fees', owner: 'house', currency: 'USD' };

describe('the ledger', () => {
  let system: System;
  let wallets: Wallets;
  let ledger: LedgerService;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
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

  const payment = (userId: string, amount: bigint, reference = `pay:${randomUUID()}`): Posting => ({
    reference,
    type: 'payment',
    legs: [
      { account: wallets.available(userId), amount: -amount },
      { account: FEES, amount },
    ],
  });

  it('moves money once for a reference, and answers a repetition with the first transfer', async () => {
    const userId = await userWith(1000n);
    const posting = payment(userId, 300n);
    const first = await run(async (manager) => ledger.post(manager, posting));
    const again = await run(async (manager) =>
      ledger.post(manager, {
        ...posting,
        legs: posting.legs.toReversed(),
        metadata: { told: 'otherwise' },
        effectiveAt: new Date(0),
      }),
    );
    expect(first.replayed).toBe(false);
    expect(again).toEqual({ transferId: first.transferId, replayed: true });
    expect(await ledger.balanceOf(wallets.available(userId))).toBe(700n);
  });

  it('refuses a reference under which something else was posted', async () => {
    const userId = await userWith(1000n);
    const posting = payment(userId, 300n);
    await run(async (manager) => ledger.post(manager, posting));
    await expect(
      run(async (manager) => ledger.post(manager, payment(userId, 301n, posting.reference))),
    ).rejects.toMatchObject({
      code: 'LEDGER_REFERENCE_REUSED',
      details: { reference: posting.reference },
    });
    // Also when there is too little for it.
    await expect(
      run(async (manager) => ledger.post(manager, payment(userId, 5000n, posting.reference))),
    ).rejects.toMatchObject({ code: 'LEDGER_REFERENCE_REUSED' });
  });

  it('replays when the money is spent meanwhile', async () => {
    const userId = await userWith(1000n);
    const posting = payment(userId, 1000n);
    const first = await run(async (manager) => ledger.post(manager, posting));
    const again = await run(async (manager) => ledger.post(manager, posting));
    expect(again).toEqual({ ...first, replayed: true });
  });

  it('refuses what is not covered, telling what is, and leaves the transaction to go on', async () => {
    const userId = await userWith(1000n);
    const posted = await run(async (manager) => {
      await expect(ledger.post(manager, payment(userId, 1001n))).rejects.toMatchObject({
        code: 'INSUFFICIENT_FUNDS',
        details: { available: 1000, currency: 'USD' },
      });
      return await ledger.post(manager, payment(userId, 1000n));
    });
    expect(posted.replayed).toBe(false);
    expect(await ledger.balanceOf(wallets.available(userId))).toBe(0n);
  });

  it('posts several transfers in their order, each on what the one before left, or none', async () => {
    const [a, b] = [await userWith(100n), await userWith(0n)];
    const pass = (from: string, to: string, amount: bigint): Posting => ({
      reference: `pass:${randomUUID()}`,
      type: 'payment',
      legs: [
        { account: wallets.available(from), amount: -amount },
        { account: wallets.available(to), amount },
      ],
    });
    const there = pass(a, b, 100n);
    const posted = await run(async (manager) => ledger.postAll(manager, [there, pass(b, a, 60n), there]));
    expect(posted.map(({ replayed }) => replayed)).toEqual([false, false, true]);
    expect([
      await ledger.balanceOf(wallets.available(a)),
      await ledger.balanceOf(wallets.available(b)),
    ]).toEqual([60n, 40n]);
    await expect(
      run(async (manager) => ledger.postAll(manager, [pass(a, b, 60n), pass(a, b, 1n)])),
    ).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
    expect(await ledger.balanceOf(wallets.available(a))).toBe(60n);
  });

  it('balances each currency of a transfer by itself', async () => {
    const userId = await userWith(1000n);
    await wallets.deposit(userId, 5000n, 'XAF');
    const legs = (xaf: bigint) => [
      { account: wallets.available(userId), amount: -10n },
      { account: FEES, amount: 10n },
      { account: wallets.available(userId, 'XAF'), amount: -6000n },
      { account: { ...FEES, currency: 'XAF' }, amount: xaf },
    ];
    const of = (xaf: bigint) => ({ reference: `two:${randomUUID()}`, type: 'payment', legs: legs(xaf) });
    await expect(run(async (manager) => ledger.post(manager, of(5990n)))).rejects.toThrow(
      'XAF sums to -10, not to zero',
    );
    // Refused for one currency, nothing of the other is moved.
    await expect(run(async (manager) => ledger.post(manager, of(6000n)))).rejects.toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
      details: { available: 5000, currency: 'XAF' },
    });
    expect((await ledger.balancesOf(userId)).map(({ currency, available }) => [currency, available])).toEqual(
      [
        ['USD', 1000n],
        ['XAF', 5000n],
      ],
    );
  });

  it('reverses a transfer once, whoever asks', async () => {
    const userId = await userWith(1000n);
    const { transferId } = await run(async (manager) => ledger.post(manager, payment(userId, 400n)));
    const order = {
      transferId,
      reference: `reversal:${randomUUID()}`,
      reason: 'by mistake',
      requestedBy: null,
    };
    const reversal = await run(async (manager) => ledger.reverse(manager, order));
    expect(await run(async (manager) => ledger.reverse(manager, order))).toEqual({
      ...reversal,
      replayed: true,
    });
    await expect(wallets.reverse(transferId)).rejects.toMatchObject({
      code: 'ALREADY_REVERSED',
      details: { by: reversal.transferId },
    });
    expect(await ledger.balanceOf(wallets.available(userId))).toBe(1000n);
    // The reversal is a transfer as others are.
    await wallets.reverse(reversal.transferId);
    expect(await ledger.balanceOf(wallets.available(userId))).toBe(600n);
    await expect(wallets.reverse(randomUUID())).rejects.toMatchObject({ code: 'TRANSFER_NOT_FOUND' });
  });

  it('takes a deposit back only while it is there', async () => {
    const userId = randomUUID();
    const { transferId } = await wallets.deposit(userId, 500n);
    await run(async (manager) => ledger.post(manager, payment(userId, 1n)));
    await expect(wallets.reverse(transferId)).rejects.toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
      details: { available: 499 },
    });
  });

  it('tells a balance as it was at any time, over all stripes', async () => {
    const userId = randomUUID();
    const times: Date[] = [];
    const before = await ledger.balanceOf(FEES);
    for (const [day, amount] of [
      [1, 100n],
      [2, 50n],
      [3, 25n],
    ] as const) {
      await system.moveTo(`2023-11-0${day}T12:00:00Z`);
      await wallets.deposit(userId, amount);
      await run(async (manager) => ledger.post(manager, payment(userId, 10n)));
      await system.moveTo(`2023-11-0${day}T13:00:00Z`);
      times.push(system.now());
    }
    const at = async (account: AccountRef) =>
      await Promise.all(times.map(async (time) => ledger.balanceOf(account, time)));
    expect(await at(wallets.available(userId))).toEqual([90n, 130n, 145n]);
    expect((await at(FEES)).map((balance) => balance - before)).toEqual([10n, 20n, 30n]);
    expect(await ledger.balanceOf(wallets.available(userId), new Date('2023-10-31T00:00:00Z'))).toBe(0n);
  });

  it('counts a transfer from when it is told to, and books it now', async () => {
    const effectiveAt = new Date('2023-01-01T00:00:00Z');
    const userId = await userWith(10n);
    const { transferId } = await run(async (manager) =>
      ledger.post(manager, { ...payment(userId, 10n), effectiveAt, metadata: { week: 202314 } }),
    );
    const { rows } = await system.db.query(
      'SELECT effective_at, created_at > effective_at AS later, metadata FROM ledger_transfers WHERE id = $1',
      [transferId],
    );
    expect(rows).toEqual([{ effective_at: effectiveAt, later: true, metadata: { week: 202314 } }]);
  });

  it('tells users whose money was moved, in the same transaction', async () => {
    const userId = await userWith(10n);
    await system.db.query("DELETE FROM outbox WHERE topic = 'wallet.changed'");
    await wallets.hold(userId, 10n);
    const { rows } = await system.db.query("SELECT payload FROM outbox WHERE topic = 'wallet.changed'");
    expect(rows).toEqual([{ payload: { userIds: [userId] } }]);
  });
});
