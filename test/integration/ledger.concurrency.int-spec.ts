import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import { LedgerUpkeep } from '../../src/modules/wallet/ledger.upkeep.js';
import type { AccountRef } from '../../src/modules/wallet/ledger.types.js';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { holding } from '../support/crash.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

const FEES: AccountRef = { kind: 'fees', owner: 'house', currency: 'USD' };

describe('the ledger, asked by many at once', () => {
  let system: System;
  let wallets: Wallets;
  let ledger: LedgerService;
  let upkeep: LedgerUpkeep;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    wallets = new Wallets(system);
    ledger = system.app.get(LedgerService);
    upkeep = system.worker!.get(LedgerUpkeep);
  });
  afterEach(async () => {
    const { rules } = await system.app.get(VerifyService).verify(null);
    expect(rules.filter(({ problems }) => problems.length > 0)).toEqual([]);
  });
  afterAll(async () => system.stop());

  const run = <T>(work: (manager: EntityManager) => Promise<T>): Promise<T> =>
    system.app.get(UnitOfWork).run(work);
  const many = <T>(count: number, work: (n: number) => Promise<T>) =>
    Promise.allSettled(Array.from({ length: count }, async (_, n) => work(n)));
  const codes = (answers: PromiseSettledResult<unknown>[]) => {
    const counted: Record<string, number> = {};
    for (const answer of answers) {
      const code = answer.status === 'fulfilled' ? 'ok' : String(answer.reason.code ?? answer.reason);
      counted[code] = (counted[code] ?? 0) + 1;
    }
    return counted;
  };

  it('lets one of 200 spend a whole balance', async () => {
    const userId = randomUUID();
    await wallets.deposit(userId, 1000n);
    const answers = await many(200, async () => wallets.move(wallets.available(userId), FEES, 1000n));
    expect(codes(answers)).toEqual({ ok: 1, INSUFFICIENT_FUNDS: 199 });
    expect(await ledger.balanceOf(wallets.available(userId))).toBe(0n);
  });

  it('lets as many of 200 spend as the balance covers', async () => {
    const userId = randomUUID();
    await wallets.deposit(userId, 1000n);
    const answers = await many(200, async () => wallets.move(wallets.available(userId), FEES, 7n));
    expect(codes(answers)).toEqual({ ok: 142, INSUFFICIENT_FUNDS: 58 });
    expect(await ledger.balanceOf(wallets.available(userId))).toBe(6n);
  });

  it('posts a reference once for 100 who ask at once, and tells all of them the same transfer', async () => {
    const userId = randomUUID();
    const posting = {
      reference: `payment:${randomUUID()}`,
      type: 'deposit',
      legs: [
        { account: { kind: 'clearing', owner: 'sandbox', currency: 'USD' } as const, amount: -500n },
        { account: wallets.available(userId), amount: 500n },
      ],
    };
    // Nobody has the account yet, either.
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => run(async (manager) => ledger.post(manager, posting))),
    );
    expect(new Set(answers.map(({ transferId }) => transferId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await ledger.balanceOf(wallets.available(userId))).toBe(500n);
  });

  it('captures a hold once of 100 who ask for all of it, and in 100 parts for 100 who ask for one', async () => {
    const userId = randomUUID();
    await wallets.deposit(userId, 200n);
    const whole = await wallets.hold(userId, 100n);
    const answers = await many(100, async () => wallets.capture(whole, 100n, FEES));
    expect(codes(answers)).toEqual({ ok: 1, HOLD_NOT_OPEN: 99 });
    const inParts = await wallets.hold(userId, 100n);
    const parts = await many(110, async () => wallets.capture(inParts, 1n, FEES));
    expect(codes(parts)).toEqual({ ok: 100, HOLD_NOT_OPEN: 10 });
    expect(await ledger.balancesOf(userId)).toMatchObject([{ available: 0n, held: 0n }]);
  });

  it('either captures a hold or releases it or lets it expire, never two of them', async () => {
    const ends = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const userId = randomUUID();
      await wallets.deposit(userId, 100n);
      const expiresAt = new Date(system.now().getTime() + (round % 2 === 0 ? 3_600_000 : 5));
      const holdId = await wallets.hold(userId, 100n, 'USD', expiresAt);
      const answers = await Promise.allSettled([
        ...Array.from({ length: 5 }, async () => wallets.capture(holdId, 100n, FEES)),
        ...Array.from({ length: 5 }, async () => wallets.release(holdId)),
        ...Array.from({ length: 3 }, async () => upkeep.expire()),
      ]);
      const done = answers.slice(0, 10).filter(({ status }) => status === 'fulfilled').length;
      const { rows } = await system.db.query('SELECT status FROM ledger_holds WHERE id = $1', [holdId]);
      const [{ status }] = rows;
      ends.add(status);
      expect(done).toBe(status === 'expired' ? 0 : 1);
      const [balance] = await ledger.balancesOf(userId);
      expect(balance).toMatchObject({ available: status === 'captured' ? 0n : 100n, held: 0n });
    }
    expect(ends.size).toBeGreaterThan(1);
  });

  describe('when holds expire', () => {
    type Due = { userId: string; holdId: string };
    /** As many holds of 10 that are due then, each of a user of its own. */
    async function dueHolds(count: number, expiresAt: Date): Promise<Due[]> {
      return await Promise.all(
        Array.from({ length: count }, async () => {
          const userId = randomUUID();
          await wallets.deposit(userId, 20n);
          return { userId, holdId: await wallets.hold(userId, 10n, 'USD', expiresAt) };
        }),
      );
    }
    const states = async (holds: { holdId: string }[]) => {
      const { rows } = await system.db.query<{ status: string; n: number }>(
        'SELECT status, count(*)::int AS n FROM ledger_holds WHERE id = ANY ($1) GROUP BY status',
        [holds.map(({ holdId }) => holdId)],
      );
      return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
    };
    const inAnHour = () => new Date(system.now().getTime() + 3_600_000);
    const after = (instant: Date, ms: number) => new Date(instant.getTime() + ms);
    const deadlocks = async () => {
      const { rows } = await system.db.query(
        'SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()',
      );
      return rows[0].n as number;
    };

    it('lets none wait for one whose account is locked, whose hold is, or that fails', async () => {
      const dueAt = inAnHour();
      const holds = await dueHolds(150, dueAt); // more than a batch
      const [locked, inHand, failing] = holds as [Due, Due, Due];
      await system.db.query(`
        CREATE FUNCTION fail_on_expiry() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'it fails'; END $$;
        CREATE TRIGGER failing BEFORE INSERT ON ledger_transfers FOR EACH ROW
        WHEN (NEW.reference = 'expiry:${failing.holdId}') EXECUTE FUNCTION fail_on_expiry()`);
      const releaseAccount = await holding(
        system,
        "SELECT FROM ledger_accounts WHERE kind = 'user_held' AND owner = $1 FOR UPDATE",
        [locked.userId],
      );
      const releaseHold = await holding(system, 'SELECT FROM ledger_holds WHERE id = $1 FOR UPDATE', [
        inHand.holdId,
      ]);
      try {
        await system.moveTo(dueAt);
        await eventually(async () => (await states(holds))['expired'] === 147);
        expect(await states(holds)).toEqual({ expired: 147, held: 3 });
        await system.moveTo(after(dueAt, 120_000));
        const round = async () => {
          while (await upkeep.expire());
        };
        await expect(round()).rejects.toThrow(
          /^2 holds cannot expire(?=.*its accounts are in use)(?=.*it fails)/,
        );
      } finally {
        await releaseAccount();
        await releaseHold();
      }
      await eventually(async () => (await states(holds))['expired'] === 149);
      await system.db.query('DROP FUNCTION fail_on_expiry() CASCADE');
      await eventually(async () => (await states(holds))['expired'] === 150);
      expect(await ledger.balancesOf(failing.userId)).toMatchObject([{ available: 20n, held: 0n }]);
    });

    it('is in no deadlock with 200 captures that run at once, whose accounts it takes in another order', async () => {
      const dueAt = inAnHour();
      const due = await dueHolds(100, dueAt);
      // Each user's other money pays the neighbour on either side: of the neighbour first, then of the user.
      const others = await Promise.all(
        due.flatMap(({ userId }, n) =>
          [1, 99].map(async (step) => ({
            holdId: await wallets.hold(userId, 5n),
            to: wallets.available(due[(n + step) % 100]!.userId),
          })),
        ),
      );
      const before = await deadlocks();
      await system.moveTo(after(dueAt, -100)); // in the midst of it their time is up
      const [answers] = await Promise.all([
        many(200, async (n) => wallets.capture(others[n]!.holdId, 5n, others[n]!.to)),
        ...Array.from({ length: 4 }, async () => {
          for (let n = 0; n < 60; n += 1) {
            await upkeep.expire();
            await sleep(10);
          }
        }),
      ]);
      expect(codes(answers)).toEqual({ ok: 200 });
      await eventually(async () => (await states(due))['expired'] === 100);
      expect(await states(others)).toEqual({ captured: 200 });
      expect(await deadlocks()).toBe(before);
    });

    it('leaves an account that somebody has who waits for one that it has itself', async () => {
      const dueAt = inAnHour();
      const [first] = (await dueHolds(1, dueAt)) as [Due];
      const [second] = (await dueHolds(1, after(dueAt, 1))) as [Due];
      const account = 'SELECT FROM ledger_accounts WHERE kind = $1 AND owner = $2 FOR NO KEY UPDATE';
      const client = await system.db.connect();
      try {
        // A capture of the first one's money that pays the second, slowly.
        await client.query('BEGIN');
        await client.query(account, ['user_available', second.userId]);
        await system.moveTo(after(dueAt, 10));
        await eventually(async () => (await states([first]))['expired'] === 1);
        await client.query(account, ['user_held', first.userId]);
        expect(await states([first, second])).toEqual({ expired: 1, held: 1 });
        await client.query('COMMIT');
      } finally {
        client.release();
      }
      await eventually(async () => (await states([second]))['expired'] === 1);
    });
  });

  it('reverses once for 50 who ask under references of their own', async () => {
    const userId = randomUUID();
    await wallets.deposit(userId, 100n);
    const { transferId } = await wallets.move(wallets.available(userId), FEES, 100n);
    const answers = await many(50, async () => wallets.reverse(transferId));
    expect(codes(answers)).toEqual({ ok: 1, ALREADY_REVERSED: 49 });
    expect(await ledger.balanceOf(wallets.available(userId))).toBe(100n);
  });

  it('moves money in opposite directions 10,000 times without a deadlock', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    await wallets.deposit(a, 20_000n);
    await wallets.deposit(b, 20_000n);
    const deadlocks = async () =>
      Number(
        (await system.db.query('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'))
          .rows[0].deadlocks,
      );
    const payment = (from: string, to: string) => ({
      reference: randomUUID(),
      type: 'payment',
      legs: [
        { account: wallets.available(from), amount: -1n },
        { account: wallets.available(to), amount: 1n },
      ],
    });
    const before = await deadlocks();
    let left = 10_000;
    // Half of them alone, half there and back in one call.
    await Promise.all(
      Array.from({ length: 16 }, async (_, n) => {
        while (left > 0) {
          const [from, to] = (left -= 1) % 2 === 0 ? [a, b] : [b, a];
          const there = payment(from, to);
          await run(async (manager) =>
            n % 2 === 0 ? ledger.post(manager, there) : ledger.postAll(manager, [there, payment(to, from)]),
          );
        }
      }),
    );
    expect(
      (await ledger.balanceOf(wallets.available(a))) + (await ledger.balanceOf(wallets.available(b))),
    ).toBe(40_000n);
    expect(await deadlocks()).toBe(before);
  }, 120_000);

  it('lets 16 transactions into the fees at once, none of which waits for another, and the 17th when one is over', async () => {
    const users = Array.from({ length: 17 }, () => randomUUID());
    for (const userId of users) await wallets.deposit(userId, 10n);
    await wallets.move(wallets.available(users[0]!), FEES, 1n);
    let inside = 0;
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    /** Books a fee, and stays in its transaction. */
    const stay = async (userId: string) =>
      run(async (manager) => {
        await ledger.post(manager, {
          reference: randomUUID(),
          type: 'fee',
          legs: [
            { account: wallets.available(userId), amount: -5n },
            { account: FEES, amount: 5n },
          ],
        });
        inside += 1;
        await over;
      });
    const staying = users.slice(0, 16).map(stay);
    await eventually(async () => inside === 16);
    staying.push(stay(users[16]!));
    await eventually(async () => {
      const { rowCount } = await system.db.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%ledger_post%'",
      );
      return rowCount === 1;
    });
    expect(inside).toBe(16);
    end();
    await Promise.all(staying);
    const { rows } = await system.db.query(
      "SELECT count(*)::int AS stripes FROM ledger_accounts WHERE kind = 'fees' AND balance > 0",
    );
    expect(rows).toEqual([{ stripes: 16 }]);
  });

  it('holds balances still in the order in which transfers lock their accounts', async () => {
    const ESCROWS = ['order:b', 'order:a']; // the older one, whose id is the smaller, is the later in that order
    for (const owner of ESCROWS)
      await wallets.move(
        { kind: 'clearing', owner: 'sandbox', currency: 'USD' },
        { kind: 'escrow', owner, currency: 'USD' },
        5n,
      );
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const inHand = run(async (manager) => {
      await manager.query("SELECT FROM ledger_accounts WHERE owner = 'order:b' FOR UPDATE");
      begin();
      await over;
    });
    await begun;
    const locking = run(async (manager) => ledger.lockBalances(manager, 'escrow', ESCROWS));
    await eventually(async () => {
      const { rowCount } = await system.db.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%owner = ANY%'",
      );
      return rowCount === 1;
    });
    const other = system.db.query("SELECT FROM ledger_accounts WHERE owner = 'order:a' FOR UPDATE NOWAIT");
    await expect(other).rejects.toThrow(/could not obtain lock/);
    end();
    await inHand;
    expect(await locking).toHaveLength(2);
  });
});
