import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LedgerService } from '../../src/modules/wallet/ledger.service.js';
import { LedgerUpkeep } from '../../src/modules/wallet/ledger.upkeep.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

describe('what the database keeps of the ledger by itself', () => {
  let system: System;
  let wallets: Wallets;
  const userId = randomUUID();

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    wallets = new Wallets(system);
    await wallets.deposit(userId, 1000n);
    await wallets.hold(userId, 100n);
  });
  afterAll(async () => system.stop());

  const partition = async (): Promise<string> => {
    const { rows } = await system.db.query(
      'SELECT tableoid::regclass::text AS name FROM ledger_entries LIMIT 1',
    );
    return rows[0].name;
  };

  it.each([
    ['ledger_entries', 'amount = amount + 1'],
    ['ledger_transfers', "type = 'x'"],
  ])('lets nobody change %s', async (table, change) => {
    for (const statement of [
      `UPDATE ${table} SET ${change}`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table} CASCADE`,
    ])
      await expect(system.db.query(statement)).rejects.toMatchObject({ code: 'PL000' });
  });

  it('nor a partition by its own name', async () => {
    const name = await partition();
    for (const statement of [`UPDATE ${name} SET amount = 1`, `DELETE FROM ${name}`, `TRUNCATE ${name}`])
      await expect(system.db.query(statement)).rejects.toMatchObject({ code: 'PL000' });
  });

  it.each([
    "UPDATE ledger_accounts SET owner = 'x'",
    'UPDATE ledger_accounts SET may_go_below_zero = true',
    'DELETE FROM ledger_accounts',
    'TRUNCATE ledger_accounts',
    'UPDATE ledger_holds SET amount = 1',
    'DELETE FROM ledger_holds',
  ])('nor what accounts and holds are: %s', async (statement) => {
    await expect(system.db.query(statement)).rejects.toMatchObject({ code: 'PL000' });
  });

  it('holds no account of a user below zero, and none that its kind does not allow to be', async () => {
    await expect(
      system.db.query(
        "UPDATE ledger_accounts SET balance = -1 WHERE kind = 'user_available' AND owner = $1",
        [userId],
      ),
    ).rejects.toMatchObject({ constraint: 'ledger_accounts_not_negative' });
    const insert = (kind: string, below: boolean, currency: string) =>
      system.db.query(
        `INSERT INTO ledger_accounts (id, kind, owner, currency, may_go_below_zero, created_at)
         VALUES (gen_random_uuid(), $1, gen_random_uuid()::text, $2, $3, now())`,
        [kind, currency, below],
      );
    await expect(insert('user_available', true, 'USD')).rejects.toMatchObject({
      constraint: 'ledger_accounts_kind',
    });
    await expect(insert('pocket', false, 'USD')).rejects.toMatchObject({
      constraint: 'ledger_accounts_kind',
    });
    await expect(insert('pot', false, 'usd')).rejects.toMatchObject({ code: '23514' });
  });

  describe('at commit', () => {
    /** Writes entries by hand, each with an account of its own, for a new transfer, or none, or an old one. */
    async function write(
      legs: { leg: number; amount: number; currency?: string }[],
      transfer: 'new' | 'none' | 'old',
    ) {
      const client = await system.db.connect();
      try {
        await client.query('BEGIN');
        const { rows } = await client.query(
          transfer === 'old' ? 'SELECT id FROM ledger_transfers LIMIT 1' : 'SELECT ledger_new_id() AS id',
        );
        const { id } = rows[0];
        if (transfer === 'new')
          await client.query(
            `INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at)
             VALUES ($1::uuid, $1::text, '', 'test', now(), now())`,
            [id],
          );
        for (const { leg, amount, currency = 'USD' } of legs)
          await client.query(
            `INSERT INTO ledger_entries (id, transfer_id, leg, account_id, currency, amount, balance_after, created_at)
             VALUES (nextval('ledger_entry_id_seq'), $1, $2, gen_random_uuid(), $3, $4, 0, now())`,
            [id, leg, currency, amount],
          );
        await client.query('COMMIT');
      } finally {
        await client.query('ROLLBACK');
        client.release();
      }
    }
    const unbalanced = { constraint: 'ledger_entries_balanced' };

    it.each([
      ['a single entry', [{ leg: 1, amount: 5 }], 'new'],
      ['a sum that is not zero', [1, 2].map((leg) => ({ leg, amount: leg })), 'new'],
      [
        'two currencies that are zero only together',
        [
          { leg: 1, amount: 5 },
          { leg: 2, amount: -5, currency: 'XAF' },
        ],
        'new',
      ],
      ['one more entry of an old transfer', [{ leg: 9, amount: 5 }], 'old'],
      ['entries of no transfer', [5, -5].map((amount, n) => ({ leg: n + 1, amount })), 'none'],
    ] as const)('refuses %s', async (_, legs, transfer) => {
      await expect(write([...legs], transfer)).rejects.toMatchObject(unbalanced);
    });

    it('takes what balances, in any order', async () => {
      const legs = [
        { leg: 2, amount: -5 },
        { leg: 1, amount: 5 },
      ];
      await expect(write(legs, 'new')).resolves.toBeUndefined();
    });
  });

  it('refuses entries of nothing, and a leg written twice', async () => {
    await expect(
      system.db.query(
        "INSERT INTO ledger_entries VALUES (1, ledger_new_id(), 1, gen_random_uuid(), 'USD', 0, 0, now())",
      ),
    ).rejects.toMatchObject({ code: '23514' });
    await expect(
      system.db.query('INSERT INTO ledger_entries SELECT * FROM ledger_entries LIMIT 1'),
    ).rejects.toMatchObject({ code: '23505' });
  });

  it('refuses legs out of the order of locks', async () => {
    await expect(
      system.db.query(
        `SELECT * FROM ledger_post(ARRAY['x'], ARRAY[''::bytea], ARRAY['t'], ARRAY[NULL::timestamptz], ARRAY['{}'::jsonb],
           ARRAY[NULL::uuid], ARRAY[1, 1], ARRAY['user_available', 'fees'], ARRAY['a', 'house'], ARRAY['USD', 'USD'],
           ARRAY[-1, 1])`,
      ),
    ).rejects.toThrow('stand in the order');
  });

  it('has this month and the three after it ready, and the worker opens what is missing', async () => {
    const months = async () => {
      const { rows } = await system.db.query(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'ledger_entries'::regclass ORDER BY 1",
      );
      return rows.map(({ name }) => name as string);
    };
    const ready = await months();
    const expected = Array.from({ length: 4 }, (_, ahead) => {
      const now = new Date();
      const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
      return `ledger_entries_${month.toISOString().slice(0, 7).replace('-', '')}`;
    });
    expect(ready).toEqual(expected);
    await system.db.query(`DROP TABLE ${ready.at(-1)}`);
    const upkeep = system.worker!.get(LedgerUpkeep);
    await upkeep.openMonths();
    await upkeep.openMonths();
    expect(await months()).toEqual(expected);
    const { rows } = await system.db.query(
      "SELECT count(*)::int AS n FROM pg_trigger WHERE tgrelid = $1::regclass AND tgname IN ('append_only', 'ledger_entries_balanced')",
      [ready.at(-1)],
    );
    expect(rows).toEqual([{ n: 2 }]);
  });

  it('releases a hold when its time is up, and captures none from then on', async () => {
    const ledger = system.app.get(LedgerService);
    const late = randomUUID();
    await wallets.deposit(late, 100n);
    const expiresAt = new Date(system.now().getTime() + 3_600_000);
    const kept = await wallets.hold(late, 10n);
    const doomed = await wallets.hold(late, 60n, 'USD', expiresAt);
    await wallets.capture(doomed, 20n, wallets.available(userId));
    await system.moveTo(expiresAt);
    await expect(wallets.capture(doomed, 1n, wallets.available(userId))).rejects.toMatchObject({
      code: 'HOLD_NOT_OPEN',
      details: { status: 'expired' },
    });
    await eventually(async () => (await ledger.balancesOf(late))[0]?.available === 70n);
    const { rows } = await system.db.query(
      'SELECT id, status, captured::int, released::int FROM ledger_holds WHERE user_id = $1 ORDER BY amount',
      [late],
    );
    expect(rows).toEqual([
      { id: kept, status: 'held', captured: 0, released: 0 },
      { id: doomed, status: 'expired', captured: 20, released: 40 },
    ]);
    await expect(wallets.release(doomed)).rejects.toMatchObject({ code: 'HOLD_NOT_OPEN' });
  });
});
