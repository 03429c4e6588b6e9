import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import type { LedgerReport } from '../../src/modules/wallet/verify.types.js';
import { accountOf, CORRUPTIONS, RULES } from '../support/ledger-corruptions.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

const TABLES = ['ledger_accounts', 'ledger_transfers', 'ledger_entries', 'ledger_holds'];

describe('the ledger’s verifier', () => {
  let system: System;
  let money: Wallets;
  let users: Client[];
  let open: string;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    money = new Wallets(system);
    users = await new Builders(system).players(3);
    await someHistory();
    for (const table of TABLES) await system.db.query(`CREATE TABLE ${table}_kept AS TABLE ${table}`);
  });
  afterAll(async () => system.stop());

  /** Everything that the ledger does, in three currencies. */
  async function someHistory(): Promise<void> {
    const [ada, bob, eve] = users as [Client, Client, Client];
    const fees = { kind: 'fees', owner: 'house', currency: 'USD' } as const;
    const match = { kind: 'escrow', owner: randomUUID(), currency: 'USD' } as const;
    const cleared = (currency: string) => ({ kind: 'clearing', owner: 'sandbox', currency }) as const;
    for (const user of users)
      for (const [amount, currency] of [
        [10_000n, 'USD'],
        [5000n, 'EUR'],
        [700n, 'XAF'],
      ] as const)
        await money.deposit(user, amount, currency);
    await Promise.all(Array.from({ length: 8 }, () => money.deposit(ada, 100n)));
    await money.move(money.available(ada), match, 1000n, 'stake');
    await money.post('payout', [match, -1000n], [money.available(bob), 950n], [fees, 50n]);
    const parts = await money.hold(ada, 3000n);
    await money.capture(parts, 1000n, cleared('USD'));
    const back = await money.capture(parts, 500n, money.available(eve));
    await money.capture(parts, 200n, match, true);
    await money.release(await money.hold(bob, 400n, 'EUR'));
    await money.hold(eve, 300n, 'XAF');
    open = await money.hold(eve, 2000n);
    await money.capture(open, 500n, match);
    await money.reverse((await money.deposit(bob, 777n)).transferId);
    await money.reverse(back.transferId);
    await money.move(money.available(bob), { kind: 'promotions', owner: 'house', currency: 'USD' }, 10n);
  }

  async function verify(): Promise<LedgerReport> {
    return await system.app.get(VerifyService, { strict: false }).verify(null);
  }

  /** As whoever owns the database could: without its triggers and foreign keys. */
  async function behindItsBack(...statements: [text: string, values?: unknown[]][]): Promise<number> {
    const client = await system.db.connect();
    let changed = 0;
    try {
      await client.query('BEGIN');
      await client.query('SET LOCAL session_replication_role = replica');
      for (const [text, values] of statements) changed += (await client.query(text, values)).rowCount ?? 0;
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
    return changed;
  }

  async function mend(): Promise<void> {
    await behindItsBack(
      ...TABLES.flatMap((table): [string][] => [
        [`DELETE FROM ${table}`],
        [`INSERT INTO ${table} SELECT * FROM ${table}_kept`],
      ]),
    );
  }

  function broken({ rules }: LedgerReport): string[] {
    return rules.filter(({ problems }) => problems.length > 0).map(({ rule }) => rule);
  }

  it('finds nothing wrong with a ledger that only the ledger has written', async () => {
    const report = await verify();
    expect(broken(report)).toEqual([]);
    expect(report).toMatchObject({ passed: true, holds: 4 });
    expect([report.accounts, report.transfers, report.entries]).toEqual(await counts());
    expect(report.entries).toBeGreaterThan(60);
    expect(report.rules.map(({ rule }) => rule)).toEqual(Object.values(RULES));
  });

  async function counts(): Promise<number[]> {
    const { rows } = await system.db.query<{ n: number }>(
      TABLES.slice(0, 3)
        .map((table) => `SELECT count(*)::int AS n FROM ${table}`)
        .join(' UNION ALL '),
    );
    return rows.map(({ n }) => n);
  }

  describe('finds and names', () => {
    afterEach(async () => {
      await mend();
      expect(broken(await verify())).toEqual([]);
    });

    it.each(CORRUPTIONS)('$what', async ({ sql, of, rows, rules }) => {
      const changed = await behindItsBack([sql, of === undefined ? [] : [users[of]!.userId]]);
      expect(changed).toBe(rows);
      const report = await verify();
      expect(report.passed).toBe(false);
      expect(broken(report)).toEqual(rules);
    });

    it('a user’s balance below zero, once nothing forbids it', async () => {
      await system.db.query('ALTER TABLE ledger_accounts DROP CONSTRAINT ledger_accounts_not_negative');
      const all = (text: string, ...values: unknown[]): [string, unknown[]] => [text, values];
      const id = users[2]!.userId;
      await behindItsBack(
        all(`UPDATE ledger_accounts SET balance = balance - 20000 WHERE id = ${accountOf('USD')}`, id),
        all(
          `UPDATE ledger_entries SET balance_after = balance_after - 20000
           WHERE id = (SELECT last_entry FROM ledger_accounts WHERE id = ${accountOf('USD')})`,
          id,
        ),
      );
      const report = await verify();
      expect(broken(report)).toEqual([RULES.whole, RULES.totals, RULES.chain, RULES.below, RULES.guards]);
      const { problems } = report.rules.find(({ rule }) => rule === RULES.below)!;
      expect(problems).toEqual([
        { subject: `account user_available ${id} USD`, problem: expect.stringMatching(/^it was at -\d+$/) },
      ]);
      await mend();
      await system.db.query(
        'ALTER TABLE ledger_accounts ADD CONSTRAINT ledger_accounts_not_negative CHECK (may_go_below_zero OR balance >= 0) NOT VALID',
      );
      expect((await verify()).rules.find(({ rule }) => rule === RULES.guards)!.problems).toEqual([
        {
          subject: 'constraint ledger_accounts_not_negative',
          problem: 'it was never checked against the rows',
        },
      ]);
      await system.db.query('ALTER TABLE ledger_accounts VALIDATE CONSTRAINT ledger_accounts_not_negative');
    });

    it('what of the database’s own guards is gone or switched off', async () => {
      await system.db.query(
        `ALTER TABLE ledger_transfers DISABLE TRIGGER ledger_transfers_append_only;
         ALTER TABLE ledger_holds DROP CONSTRAINT ledger_holds_conserved;
         DO $$ BEGIN EXECUTE format('ALTER TABLE %s DISABLE TRIGGER append_only',
           (SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'ledger_entries'::regclass)); END $$`,
      );
      const report = await verify();
      expect(broken(report)).toEqual([RULES.guards]);
      expect(report.rules.at(-1)!.problems).toEqual([
        { subject: 'trigger ledger_transfers_append_only', problem: 'it is switched off' },
        { subject: 'constraint ledger_holds_conserved', problem: 'it is gone' },
        {
          subject: expect.stringMatching(/^table ledger_entries_\d{6}$/),
          problem: expect.stringContaining('can be changed'),
        },
      ]);
      await system.db.query(
        `ALTER TABLE ledger_transfers ENABLE TRIGGER ledger_transfers_append_only;
         ALTER TABLE ledger_holds ADD CONSTRAINT ledger_holds_conserved CHECK (captured + released <= amount);
         DO $$ BEGIN EXECUTE format('ALTER TABLE %s ENABLE TRIGGER append_only',
           (SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'ledger_entries'::regclass)); END $$`,
      );
    });

    it('a hundred problems of a rule, and that there are more', async () => {
      await behindItsBack([
        `INSERT INTO ledger_transfers (id, reference, input_hash, type, effective_at, created_at)
         SELECT ledger_new_id(), 'nothing ' || n, '', 'deposit', now(), now() FROM generate_series(1, 101) n`,
      ]);
      const found = (await verify()).rules.find(({ rule }) => rule === RULES.empty)!;
      expect([found.problems.length, found.more]).toEqual([100, true]);
    });
  });
});
