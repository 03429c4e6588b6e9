import { createHash, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { PoolClient } from 'pg';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import { inTransaction } from '../support/in-transaction.js';
import { startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

const unbalanced = { constraint: 'ledger_entries_balanced' };

/** A transfer between two accounts changes their balances before it knows that it may, and is not read again at commit. */
describe('a transfer between two accounts', () => {
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

  /** Two users with money, in the order of their accounts. */
  async function two(): Promise<[string, string]> {
    const users = [randomUUID(), randomUUID()].toSorted() as [string, string];
    for (const user of users) await wallets.deposit(user, 1000n);
    return users;
  }

  const pair = async (
    client: PoolClient,
    [from, to]: readonly [string, string],
    amount: number,
    reference: string = randomUUID(),
  ): Promise<string | null> => {
    const { rows } = await client.query<{ id: string | null }>(
      `SELECT ledger_post_pair($1, '\\x00', 'test', 'user_available', $2, 'user_available', $3, 'USD', $4) AS id`,
      [reference, from, to, amount],
    );
    return rows[0]!.id;
  };

  const entry = async (client: PoolClient, transfer: string | null, leg: number, amount: number) =>
    await client.query(
      `INSERT INTO ledger_entries (id, transfer_id, leg, account_id, currency, amount, balance_after, created_at)
       VALUES (nextval('ledger_entry_id_seq'), $1, $2, gen_random_uuid(), 'USD', $3, 0, now())`,
      [transfer, leg, amount],
    );

  const accounts = async (users: readonly string[]) =>
    (
      await system.db.query(
        `SELECT owner, balance::int, last_entry FROM ledger_accounts
         WHERE kind = 'user_available' AND owner = ANY ($1) ORDER BY owner`,
        [users],
      )
    ).rows;

  it('is the same whichever of the two gives', async () => {
    const users = await two();
    await inTransaction(system, async (client) => pair(client, users, 300));
    await inTransaction(system, async (client) => pair(client, users, -100));
    expect((await accounts(users)).map(({ balance }) => balance)).toEqual([800, 1200]);
  });

  it.each([
    ['the first has too little', 1001],
    ['the second has too little', -1001],
  ])('is not done, and nothing has changed, when %s', async (_, amount) => {
    const users = await two();
    const before = await accounts(users);
    expect(await inTransaction(system, async (client) => pair(client, users, amount))).toBeNull();
    expect(await accounts(users)).toEqual(before);
  });

  it('nor when the second is new, or the reference was used', async () => {
    const users = await two();
    const reference = randomUUID();
    await inTransaction(system, async (client) => pair(client, users, 10, reference));
    const before = await accounts(users);
    const stranger = `${'f'.repeat(8)}${randomUUID().slice(8)}`;
    expect(await inTransaction(system, async (client) => pair(client, [users[0], stranger], 10))).toBeNull();
    expect(await inTransaction(system, async (client) => pair(client, users, 10, reference))).toBeNull();
    expect(await accounts(users)).toEqual(before);
  });

  it('goes on as if nothing had been tried, in the same transaction', async () => {
    const users = await two();
    await inTransaction(system, async (client) => {
      const reference = randomUUID();
      expect(await pair(client, users, 10, reference)).not.toBeNull();
      expect(await pair(client, users, 10, reference)).toBeNull();
      expect(await pair(client, users, 5000)).toBeNull();
      expect(await pair(client, users, 20)).not.toBeNull();
    });
    expect((await accounts(users)).map(({ balance }) => balance)).toEqual([970, 1030]);
  });

  it('refuses accounts out of the order of locks, and one account twice', async () => {
    const [a, b] = await two();
    for (const owners of [
      [b, a],
      [a, a],
    ] as const)
      await expect(inTransaction(system, async (client) => pair(client, owners, 1))).rejects.toThrow(
        'stand in the order',
      );
  });

  it('knows as spread over several rows the accounts that are', async () => {
    const { rows } = await system.db.query<{ kind: string }>(
      'SELECT kind FROM ledger_account_kinds WHERE stripes > 1 ORDER BY kind',
    );
    const { rows: functions } = await system.db.query<{ prosrc: string }>(
      "SELECT prosrc FROM pg_proc WHERE proname = 'ledger_post_pair'",
    );
    const list = rows.map(({ kind }) => `'${kind}'`).join(', ');
    expect(functions[0]!.prosrc.split(`IN (${list})`)).toHaveLength(3);
  });

  it('releases a hold again with the hash that the application gave it once', async () => {
    const [userId] = await two();
    const holdId = await wallets.hold(userId, 100n);
    const reference = randomUUID();
    const hash = createHash('sha256')
      .update(JSON.stringify(['release', holdId]))
      .digest();
    await system.db.query('SELECT * FROM ledger_release($1, $2, $3)', [holdId, reference, hash]);
    const { rows } = await system.db.query('SELECT * FROM ledger_release($1, $2)', [holdId, reference]);
    expect(rows).toMatchObject([{ refusal: null, replayed: true }]);
    expect(await system.app.get(LedgerService).balanceOf(wallets.available(userId))).toBe(1000n);
  });

  describe('is still looked at when it commits', () => {
    it('with a leg that was added to it', async () => {
      const users = await two();
      await expect(
        inTransaction(system, async (client) => entry(client, await pair(client, users, 10), 3, 5)),
      ).rejects.toMatchObject(unbalanced);
    });

    it('and so is another that was written by hand beside it, before or after', async () => {
      const users = await two();
      const byHand = async (client: PoolClient) => {
        const { rows } = await client.query(
          `INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at)
           VALUES (ledger_new_id(), gen_random_uuid()::text, '', 'test', now(), now()) RETURNING id`,
        );
        await entry(client, rows[0].id, 1, 5);
      };
      for (const steps of [
        [byHand, async (client: PoolClient) => pair(client, users, 10)],
        [async (client: PoolClient) => pair(client, users, 10), byHand],
      ])
        await expect(
          inTransaction(system, async (client) => {
            for (const step of steps) await step(client);
          }),
        ).rejects.toMatchObject(unbalanced);
    });

    it('when what was found to be so was rolled back to a savepoint', async () => {
      const users = await two();
      await expect(
        inTransaction(system, async (client) => {
          await client.query('SAVEPOINT s');
          const transfer = await pair(client, users, 10);
          await client.query('ROLLBACK TO SAVEPOINT s');
          await entry(client, transfer, 1, 5);
          await entry(client, transfer, 2, 5);
        }),
      ).rejects.toMatchObject(unbalanced);
    });

    it('and legs that come after the constraint was looked at in the middle of the transaction', async () => {
      const users = await two();
      await expect(
        inTransaction(system, async (client) => {
          const transfer = await pair(client, users, 10);
          await client.query('SET CONSTRAINTS ledger_entries_balanced IMMEDIATE');
          await client.query('SET CONSTRAINTS ledger_entries_balanced DEFERRED');
          await entry(client, transfer, 3, 5);
        }),
      ).rejects.toMatchObject(unbalanced);
    });

    it('and one of three legs, of which the last makes it wrong', async () => {
      await expect(
        inTransaction(system, async (client) => {
          const { rows } = await client.query(
            `INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at)
             VALUES (ledger_new_id(), gen_random_uuid()::text, '', 'test', now(), now()) RETURNING id`,
          );
          await entry(client, rows[0].id, 1, 5);
          await entry(client, rows[0].id, 2, -5);
          await client.query('SET CONSTRAINTS ledger_entries_balanced IMMEDIATE');
          await client.query('SET CONSTRAINTS ledger_entries_balanced DEFERRED');
          await entry(client, rows[0].id, 3, 5);
        }),
      ).rejects.toMatchObject(unbalanced);
    });

    it('and nothing of a transaction is known to the next one on the connection', async () => {
      const users = await two();
      const client = await system.db.connect();
      try {
        await client.query('BEGIN');
        const transfer = await pair(client, users, 10);
        await client.query('ROLLBACK');
        await client.query('BEGIN');
        await entry(client, transfer, 1, 5);
        await entry(client, transfer, 2, 5);
        await expect(client.query('COMMIT')).rejects.toMatchObject(unbalanced);
      } finally {
        await client.query('ROLLBACK');
        client.release();
      }
    });
  });
});
