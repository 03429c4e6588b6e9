import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PoolClient } from 'pg';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import { GroupedCalls } from '../../src/platform/database/grouped-calls.js';
import { restarted } from '../../src/platform/database/restarted.js';
import { inTransaction } from '../support/in-transaction.js';
import { startSystem, type System } from '../support/system.js';
import { type GroupedTransfer, postGroup } from '../support/transfer-groups.js';
import { Wallets } from '../support/wallets.js';

const SOME = expect.any(String);
const unbalanced = { constraint: 'ledger_entries_balanced' };

describe('transfers of many clients in one call', () => {
  let system: System;
  let wallets: Wallets;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    wallets = new Wallets(system);
  });
  afterEach(async () => {
    const { rules } = await system.app.get(VerifyService).verify(null);
    expect(rules.filter(({ problems }) => problems.length > 0)).toEqual([]);
  });
  afterAll(async () => system.stop());

  /** Users with as much money each, in the order of their accounts. */
  async function some(count: number, amount = 1000n): Promise<string[]> {
    const users = Array.from({ length: count }, () => randomUUID()).toSorted();
    await Promise.all(users.map((user) => wallets.deposit(user, amount)));
    return users;
  }

  const balances = async (users: readonly string[]): Promise<number[]> => {
    const { rows } = await system.db.query<{ owner: string; balance: number }>(
      "SELECT owner, balance::int FROM ledger_accounts WHERE kind = 'user_available' AND owner = ANY ($1)",
      [users],
    );
    return users.map((user) => rows.find(({ owner }) => owner === user)?.balance ?? 0);
  };

  /** An account's entries in order: what moved, and what it held then. */
  const entriesOf = async (owner: string) =>
    (
      await system.db.query<{ amount: number; after: number }>(
        `SELECT e.amount::int, e.balance_after::int AS after FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
         WHERE a.kind = 'user_available' AND a.owner = $1 ORDER BY e.created_at, e.id`,
        [owner],
      )
    ).rows;

  it('are posted, each with its entries, and an account that several of them touch holds what all of them left', async () => {
    const [a, b, c] = (await some(3)) as [string, string, string];
    const ids = await postGroup(system.db, [
      { from: a, to: b, amount: 100 },
      { from: a, to: c, amount: 200 },
      { from: b, to: c, amount: -50 },
    ]);
    expect(ids).toEqual([SOME, SOME, SOME]);
    expect(new Set(ids).size).toBe(3);
    expect(await balances([a, b, c])).toEqual([700, 1150, 1150]);
    // First legs first, then second ones.
    expect((await entriesOf(b)).map(({ amount, after }) => [amount, after])).toEqual([
      [1000, 1000],
      [50, 1050],
      [100, 1150],
    ]);
  });

  it('go to accounts that are spread over several rows, and to one of one row', async () => {
    const users = await some(20);
    const pot = randomUUID();
    await wallets.post(
      'test',
      [{ kind: 'pot', owner: pot, currency: 'USD' }, 1n],
      [wallets.available(users[0]!), -1n],
    );
    await wallets.post(
      'test',
      [{ kind: 'fees', owner: 'house', currency: 'USD' }, 1n],
      [wallets.available(users[0]!), -1n],
    );
    const ledger = system.app.get(LedgerService);
    const fees = { kind: 'fees', owner: 'house', currency: 'USD' } as const;
    const before = await ledger.balanceOf(fees);
    const ids = await postGroup(
      system.db,
      users.flatMap((user): GroupedTransfer[] => [
        { from: 'house', to: user, amount: -3, kinds: ['fees', 'user_available'] },
        { from: pot, to: user, amount: -5, kinds: ['pot', 'user_available'] },
      ]),
    );
    expect(ids.filter((id) => id !== null)).toHaveLength(40);
    expect(await ledger.balanceOf(fees)).toBe(before + 60n);
    expect(await ledger.balanceOf({ kind: 'pot', owner: pot, currency: 'USD' })).toBe(101n);
  });

  it('tell each owner once, in one event', async () => {
    const users = await some(3);
    await system.db.query('DELETE FROM outbox');
    await postGroup(system.db, [
      { from: users[0]!, to: users[1]!, amount: 1 },
      { from: users[0]!, to: users[2]!, amount: 1 },
    ]);
    const { rows } = await system.db.query("SELECT payload FROM outbox WHERE topic = 'wallet.changed'");
    expect(rows).toHaveLength(1);
    expect(rows[0].payload.userIds.toSorted()).toEqual(users);
  });

  describe('leave for another call, and post the others,', () => {
    it('one whose account is new', async () => {
      const [a, b] = (await some(2)) as [string, string];
      const stranger = `ffffffff${randomUUID().slice(8)}`;
      expect(
        await postGroup(system.db, [
          { from: a, to: stranger, amount: 10 },
          { from: a, to: b, amount: 10 },
        ]),
      ).toEqual([null, SOME]);
      expect(await balances([a, b, stranger])).toEqual([990, 1010, 0]);
    });

    it('one that takes more from an account than those before it in the group have left there', async () => {
      const [a, b, c] = (await some(3)) as [string, string, string];
      expect(
        await postGroup(system.db, [
          { from: a, to: b, amount: 600 },
          { from: a, to: c, amount: 401 },
          { from: b, to: c, amount: 1000 },
          { from: b, to: c, amount: 1 },
        ]),
      ).toEqual([SOME, null, SOME, null]);
      // First legs first: what comes in by a second leg is there for the next call.
      expect(await balances([a, b, c])).toEqual([400, 600, 2000]);
      expect(await postGroup(system.db, [{ from: b, to: c, amount: 600 }])).toEqual([SOME]);
      expect(await postGroup(system.db, [{ from: b, to: c, amount: 1 }])).toEqual([null]);
    });

    it('one whose reference was used', async () => {
      const [a, b, c] = (await some(3)) as [string, string, string];
      const reference = randomUUID();
      const [first] = await postGroup(system.db, [{ from: a, to: b, amount: 10, reference }]);
      expect(first).toEqual(SOME);
      expect(
        await postGroup(system.db, [
          { from: a, to: b, amount: 10, reference },
          { from: b, to: c, amount: 10 },
        ]),
      ).toEqual([null, SOME]);
      expect(await balances([a, b, c])).toEqual([990, 1000, 1010]);
    });

    it('one whose account somebody else has in hand, without waiting for them', async () => {
      const [a, b, c, d] = (await some(4)) as [string, string, string, string];
      await inTransaction(system, async (other) => {
        await other.query(
          "SELECT FROM ledger_accounts WHERE kind = 'user_available' AND owner = $1 FOR UPDATE",
          [a],
        );
        await inTransaction(system, async (client) => {
          await client.query("SET LOCAL lock_timeout = '1s'");
          expect(
            await postGroup(client, [
              { from: a, to: b, amount: 10 },
              { from: c, to: d, amount: 10 },
            ]),
          ).toEqual([null, SOME]);
        });
      });
      expect(await balances([a, b, c, d])).toEqual([1000, 1000, 990, 1010]);
    });

    it('all of them, when none can be posted', async () => {
      const [a, b] = (await some(2)) as [string, string];
      expect(await postGroup(system.db, [{ from: a, to: b, amount: 1001 }])).toEqual([null]);
      expect(await balances([a, b])).toEqual([1000, 1000]);
    });
  });

  it('fail together when a reference comes twice, and nothing has changed', async () => {
    const [a, b, c] = (await some(3)) as [string, string, string];
    const reference = randomUUID();
    await expect(
      postGroup(system.db, [
        { from: a, to: b, amount: 10, reference },
        { from: b, to: c, amount: 10, reference },
      ]),
    ).rejects.toMatchObject({ constraint: 'ux_ledger_transfers_reference' });
    expect(await balances([a, b, c])).toEqual([1000, 1000, 1000]);
  });

  it('are not between one account and itself, and in any order of the two otherwise', async () => {
    const [a, b] = (await some(2)) as [string, string];
    expect(
      await postGroup(system.db, [
        { from: a, to: a, amount: 1 },
        { from: b, to: a, amount: 1 },
      ]),
    ).toEqual([null, SOME]);
    expect(await balances([a, b])).toEqual([1001, 999]);
  });

  it('do not vouch for what else the transaction writes', async () => {
    const [a, b, c] = (await some(3)) as [string, string, string];
    const group = [
      { from: a, to: b, amount: 10 },
      { from: b, to: c, amount: 10 },
    ];
    const entry = async (client: PoolClient, transfer: string, leg: number) =>
      await client.query(
        `INSERT INTO ledger_entries (id, transfer_id, leg, account_id, currency, amount, balance_after, created_at)
         VALUES (nextval('ledger_entry_id_seq'), $1, $2, gen_random_uuid(), 'USD', 5, 0, now())`,
        [transfer, leg],
      );
    for (const n of [0, 1])
      await expect(
        inTransaction(system, async (client) => entry(client, (await postGroup(client, group))[n]!, 3)),
      ).rejects.toMatchObject(unbalanced);
    await expect(
      inTransaction(system, async (client) => {
        await postGroup(client, group);
        const { rows } = await client.query<{ id: string }>(
          `INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at)
           VALUES (ledger_new_id(), gen_random_uuid()::text, '', 'test', now(), now()) RETURNING id`,
        );
        await entry(client, rows[0]!.id, 1);
      }),
    ).rejects.toMatchObject(unbalanced);
    await expect(
      inTransaction(system, async (client) => {
        await client.query('SAVEPOINT s');
        const [transfer] = await postGroup(client, group);
        await client.query('ROLLBACK TO SAVEPOINT s');
        await entry(client, transfer!, 1);
      }),
    ).rejects.toMatchObject(unbalanced);
    expect(await balances([a, b, c])).toEqual([1000, 1000, 1000]);
  });

  /** What was refused for another reason than money. */
  const refusalsOf = (answers: readonly PromiseSettledResult<string>[]): unknown[] =>
    answers.flatMap((answer) =>
      answer.status === 'rejected' && answer.reason.code !== 'INSUFFICIENT_FUNDS' ? [answer.reason] : [],
    );

  /** As the product asks: in groups, and by itself what a group could not have. */
  let inGroups = 0;
  const clients = () =>
    new GroupedCalls<GroupedTransfer, string>({
      underWay: 3,
      largest: 16,
      call: async (group) => {
        const ids = await postGroup(system.db, group);
        inGroups += ids.filter((id) => id !== null).length;
        return ids;
      },
      alone: async ({ from, to, amount }) =>
        await restarted(async () => {
          const [first, second] = amount > 0 ? [from, to] : [to, from];
          const posted = await wallets.move(
            wallets.available(first),
            wallets.available(second),
            BigInt(Math.abs(amount)),
          );
          return posted.transferId;
        }),
    });

  it('let 200 spend one balance that is enough for 77 of them, 77 times', async () => {
    const [spender] = (await some(1, 77n)) as [string];
    const others = await some(200, 1n);
    const calls = clients();
    const answers = await Promise.allSettled(
      others.map(async (other) =>
        calls.ask(
          spender < other
            ? { from: spender, to: other, amount: 1 }
            : { from: other, to: spender, amount: -1 },
        ),
      ),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(77);
    expect(await balances([spender])).toEqual([0]);
    expect(inGroups).toBeGreaterThan(20);
    expect(refusalsOf(answers)).toEqual([]);
  });

  it('conserve what there is, whichever accounts they take in whichever direction, and no deadlock comes out', async () => {
    const users = await some(6, 50n);
    const calls = clients();
    const place = fc.nat({ max: users.length - 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(place, place, fc.integer({ min: -30, max: 30 })), {
          minLength: 50,
          maxLength: 150,
        }),
        async (moves) => {
          const asked = moves.filter(([a, b, amount]) => a !== b && amount !== 0);
          const answers = await Promise.allSettled(
            asked.map(async ([a, b, amount]) =>
              calls.ask({ from: users[Math.min(a, b)]!, to: users[Math.max(a, b)]!, amount }),
            ),
          );
          expect(refusalsOf(answers)).toEqual([]);
          const left = await balances(users);
          expect(left.reduce((sum, balance) => sum + balance, 0)).toBe(300);
          expect(left.every((balance) => balance >= 0)).toBe(true);
        },
      ),
      { numRuns: 12 },
    );
    expect(inGroups).toBeGreaterThan(100);
  }, 60_000);

  describe('release holds', () => {
    const releaseAll = async (holds: readonly string[]): Promise<(string | null)[]> => {
      const { rows } = await system.db.query<{ ids: (string | null)[] }>(
        'SELECT ledger_release_all($1, $2) AS ids',
        [holds, holds.map((id) => `release:${id}`)],
      );
      return rows[0]!.ids;
    };

    it('with what is left of each, also several of one user', async () => {
      const [a, b] = (await some(2)) as [string, string];
      const holds = [await wallets.hold(a, 100n), await wallets.hold(a, 200n), await wallets.hold(b, 300n)];
      await wallets.capture(holds[1]!, 50n, { kind: 'escrow', owner: randomUUID(), currency: 'USD' });
      expect(await releaseAll(holds)).toEqual([SOME, SOME, SOME]);
      expect(await balances([a, b])).toEqual([950, 1000]);
      const { rows } = await system.db.query(
        'SELECT status, captured::int, released::int FROM ledger_holds WHERE id = ANY ($1) ORDER BY amount',
        [holds],
      );
      expect(rows).toEqual([
        { status: 'released', captured: 0, released: 100 },
        { status: 'released', captured: 50, released: 150 },
        { status: 'released', captured: 0, released: 300 },
      ]);
    });

    it('so that a release by itself finds it done', async () => {
      const [a] = (await some(1)) as [string];
      const hold = await wallets.hold(a, 100n);
      const [transfer] = await releaseAll([hold]);
      const { rows } = await system.db.query('SELECT * FROM ledger_release($1, $2)', [
        hold,
        `release:${hold}`,
      ]);
      expect(rows).toEqual([{ refusal: null, details: null, transfer_id: transfer, replayed: true }]);
    });

    it('once, also one that is told twice', async () => {
      const [a] = (await some(1)) as [string];
      const [hold, other] = [await wallets.hold(a, 100n), await wallets.hold(a, 100n)];
      const { rows } = await system.db.query<{ ids: (string | null)[] }>(
        "SELECT ledger_release_all($1, ARRAY['one:' || $2, 'two:' || $2]) AS ids",
        [[hold, hold], hold],
      );
      expect(rows[0]!.ids).toEqual([SOME, null]);
      expect(await balances([a])).toEqual([900]);
      expect(await releaseAll([other])).toEqual([SOME]);
    });

    it('but those that are gone, are not there, or are in somebody’s hand', async () => {
      const [a, b] = (await some(2)) as [string, string];
      const gone = await wallets.hold(a, 100n);
      await wallets.release(gone);
      const busy = await wallets.hold(a, 100n);
      const open = await wallets.hold(b, 100n);
      await inTransaction(system, async (other) => {
        await other.query('SELECT FROM ledger_holds WHERE id = $1 FOR UPDATE', [busy]);
        expect(await releaseAll([gone, randomUUID(), busy, open])).toEqual([null, null, null, SOME]);
      });
      expect(await balances([a, b])).toEqual([900, 1000]);
      expect(await releaseAll([gone])).toEqual([null]);
    });
  });
});
