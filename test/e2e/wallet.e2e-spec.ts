import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { PendingMoneyPort } from '../../src/modules/wallet/pending-money.port.js';
import { Builders } from '../support/builders.js';
import { Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

const FEES = { kind: 'fees', owner: 'house', currency: 'USD' } as const;

interface Listed {
  id: string;
  type?: string;
  account?: string;
  amount: number;
  currency: string;
  balanceAfter?: number;
}

describe('a wallet', () => {
  let system: System;
  let make: Builders;
  let money: Wallets;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    money = new Wallets(system);
  });
  afterAll(async () => system.stop());

  async function player(): Promise<Client> {
    return (await make.players(1))[0]!;
  }

  async function later(seconds: number): Promise<void> {
    await system.moveTo(new Date(system.now().getTime() + seconds * 1000));
  }

  /** All pages of a list, `each` between two of them. */
  async function walk(
    client: Client,
    path: string,
    each: () => Promise<unknown> = async () => Promise.resolve(),
  ): Promise<Listed[]> {
    const rows: Listed[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { status, body } = await client.get(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      rows.push(...(body.data as Listed[]));
      cursor = body.meta.pagination.nextCursor as string | null;
      await each();
    }
    return rows;
  }

  it('is empty at first, and nobody’s without a session', async () => {
    const somebody = await player();
    expect((await somebody.get('wallet')).data).toEqual({ balances: [] });
    for (const path of ['wallet', 'wallet/transactions', 'wallet/transactions.csv', 'wallet/holds']) {
      const { status, error } = await somebody.get(path, { token: null });
      expect([path, status, error.code]).toEqual([path, 401, 'UNAUTHENTICATED']);
    }
  });

  it('tells what is available, held and on its way, by currency', async () => {
    const [ada, bob] = [await player(), await player()];
    await money.deposit(ada, 10_000n);
    await money.deposit(ada, 700n, 'XAF');
    await money.hold(ada, 2500n);
    await money.deposit(bob, 1n);
    system.app.get(PendingMoneyPort, { strict: false }).register(async ([userId = '']) =>
      Promise.resolve(
        userId === ada.userId
          ? [
              { userId, currency: 'EUR', amount: 30n },
              { userId, currency: 'USD', amount: 500n },
            ]
          : [],
      ),
    );
    expect((await ada.get('wallet')).data).toEqual({
      balances: [
        { currency: 'EUR', available: 0, held: 0, pending: 30 },
        { currency: 'USD', available: 7500, held: 2500, pending: 500 },
        { currency: 'XAF', available: 700, held: 0, pending: 0 },
      ],
    });
    expect((await bob.get('wallet')).data).toEqual({
      balances: [{ currency: 'USD', available: 1, held: 0, pending: 0 }],
    });
  });

  it('lists its own transactions, newest first, each with the balance after it', async () => {
    const [ada, bob] = [await player(), await player()];
    const { transferId } = await money.deposit(ada, 10_000n);
    await money.post('sale', [money.available(ada), -1000n], [money.available(bob), 900n], [FEES, 100n]);
    const holdId = await money.hold(ada, 2000n);
    await money.capture(holdId, 500n, money.available(bob), true);
    const { transferId: taken } = await money.deposit(ada, 40n, 'EUR');
    await money.reverse(taken);
    const { data } = await ada.get('wallet/transactions');
    const seen = (rows: Listed[]) =>
      rows.map(({ type, account, amount, currency, balanceAfter }) => [
        type,
        account,
        amount,
        currency,
        balanceAfter,
      ]);
    expect(seen(data)).toEqual([
      ['reversal', 'available', -40, 'EUR', 0],
      ['deposit', 'available', 40, 'EUR', 40],
      ['capture', 'held', -2000, 'USD', 0],
      ['capture', 'available', 1500, 'USD', 8500],
      ['hold', 'held', 2000, 'USD', 2000],
      ['hold', 'available', -2000, 'USD', 7000],
      ['sale', 'available', -1000, 'USD', 9000],
      ['deposit', 'available', 10_000, 'USD', 10_000],
    ]);
    expect(data.at(-1)).toMatchObject({ transferId, reverses: null, reference: expect.any(String) });
    expect(data[0].reverses).toBe(taken);
    expect(data.map(({ id }: { id: string }) => BigInt(id))).toEqual(
      data.map(({ id }: { id: string }) => BigInt(id)).toSorted((a: bigint, b: bigint) => (a < b ? 1 : -1)),
    );
    expect(seen((await bob.get('wallet/transactions')).data)).toEqual([
      ['capture', 'available', 500, 'USD', 1400],
      ['sale', 'available', 900, 'USD', 900],
    ]);
  });

  it('narrows them by type, currency and time', async () => {
    const ada = await player();
    const times: string[] = [];
    for (const [amount, currency, type] of [
      [100n, 'USD', 'deposit'],
      [200n, 'EUR', 'deposit'],
      [300n, 'USD', 'prize'],
      [400n, 'USD', 'deposit'],
    ] as const) {
      await later(60);
      times.push(system.now().toISOString());
      await later(30);
      await money.deposit(ada, amount, currency, type);
    }
    const amounts = async (query: string) =>
      (await ada.get(`wallet/transactions?${query}`)).data.map(({ amount }: { amount: number }) => amount);
    expect(await amounts('')).toEqual([400, 300, 200, 100]);
    expect(await amounts('type=deposit')).toEqual([400, 200, 100]);
    expect(await amounts('currency=USD')).toEqual([400, 300, 100]);
    expect(await amounts('currency=USD&type=deposit')).toEqual([400, 100]);
    expect(await amounts(`from=${times[1]}`)).toEqual([400, 300, 200]);
    expect(await amounts(`to=${times[2]}`)).toEqual([200, 100]);
    expect(await amounts(`from=${times[1]}&to=${times[3]}&currency=USD`)).toEqual([300]);
    expect(await amounts('currency=XAF')).toEqual([]);
    const { rows } = await system.db.query<{ at: Date }>(
      "SELECT created_at AS at FROM ledger_transfers WHERE type = 'prize'",
    );
    const [from, to] = [rows[0]!.at, new Date(rows[0]!.at.getTime() + 1)].map((at) => at.toISOString());
    expect(await amounts(`from=${from}&to=${to}`)).toEqual([300]);
    expect(await amounts(`to=${from}&limit=1`)).toEqual([200]);
  });

  it('is walked page by page without a gap or a repetition, while money moves', async () => {
    const [ada, bob] = [await player(), await player()];
    await money.deposit(ada, 100_000n);
    for (let n = 0; n < 30; n += 1) {
      await money.deposit(ada, 1n, n % 2 === 0 ? 'USD' : 'EUR');
      await money.release(await money.hold(ada, 2n));
    }
    const before = await walk(ada, 'wallet/transactions?limit=100');
    expect(before).toHaveLength(151);
    const enough = new AbortController();
    const movers = [1, 2, 3].map(async () => {
      while (!enough.signal.aborted) await money.move(money.available(ada), money.available(bob), 1n);
    });
    const walked = await walk(ada, 'wallet/transactions?limit=7');
    enough.abort();
    await Promise.all(movers);
    const ids = walked.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const old = new Set(before.map(({ id }) => id));
    expect(walked.filter(({ id }) => old.has(id))).toEqual(before);
    expect((await walk(ada, 'wallet/transactions?limit=100')).length).toBeGreaterThan(before.length + 3);
  });

  it('lists what was held, and what became of it', async () => {
    const [ada, bob] = [await player(), await player()];
    await money.deposit(ada, 10_000n);
    await money.deposit(bob, 10_000n);
    const expiresAt = new Date(system.now().getTime() + 3_600_000);
    const open = await money.hold(ada, 1000n, 'USD', expiresAt);
    await money.capture(open, 300n, money.available(bob));
    const captured = await money.hold(ada, 2000n);
    await money.capture(captured, 1500n, money.available(bob), true);
    const released = await money.hold(ada, 50n);
    await money.release(released);
    await money.hold(bob, 1n);
    const { data } = await ada.get('wallet/holds');
    expect(data).toEqual([
      expect.objectContaining({ id: released, status: 'released', captured: 0, released: 50, remaining: 0 }),
      expect.objectContaining({
        id: captured,
        status: 'captured',
        captured: 1500,
        released: 500,
        remaining: 0,
      }),
      {
        id: open,
        purpose: 'withdrawal',
        status: 'held',
        amount: 1000,
        captured: 300,
        released: 0,
        remaining: 700,
        currency: 'USD',
        expiresAt: expiresAt.toISOString(),
        createdAt: expect.any(String),
      },
    ]);
    const held = (await ada.get('wallet/holds?status=held')).data;
    expect(held.map(({ id }: { id: string }) => id)).toEqual([open]);
    expect(await walk(ada, 'wallet/holds?limit=1')).toEqual(data);
    expect((await ada.get('wallet/holds?status=open')).error.code).toBe('VALIDATION_FAILED');
  });

  it('is written as a statement that a spreadsheet can read, and only read', async () => {
    const [ada, bob] = [await player(), await player()];
    await money.deposit(ada, 100_000n);
    await money.deposit(ada, 700n, 'XAF');
    await system.db.query('ALTER TABLE ledger_transfers DISABLE TRIGGER ledger_transfers_append_only');
    await system.db.query(
      "UPDATE ledger_transfers SET reference = $1 WHERE reference LIKE 'deposit:%' AND id = $2",
      ['=HYPERLINK("http://evil", "a,b")', (await money.deposit(ada, 5n)).transferId],
    );
    await system.db.query('ALTER TABLE ledger_transfers ENABLE TRIGGER ledger_transfers_append_only');
    await money.move(money.available(ada), money.available(bob), 1050n, 'stake');
    const { status, headers, body } = await ada.get('wallet/transactions.csv');
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
      200,
      'text/csv; charset=utf-8; header=present',
      'private, no-store',
    ]);
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="statement-${system.now().toISOString().slice(0, 10)}.csv"`,
    );
    expect(body).toMatch(/^id,booked at,[^\r\n]+\r\n/);
    const rows = parse<Record<string, string>>(body, { columns: true, record_delimiter: '\r\n' });
    expect(rows.map((row) => [row['type'], row['amount'], row['balance after'], row['currency']])).toEqual([
      ['deposit', '1000.00', '1000.00', 'USD'],
      ['deposit', '700', '700', 'XAF'],
      ['deposit', '0.05', '1000.05', 'USD'],
      ['stake', '-10.50', '989.55', 'USD'],
    ]);
    expect(rows[2]!['reference']).toBe('\'=HYPERLINK("http://evil", "a,b")');
    const { data } = await ada.get('wallet/transactions');
    expect(rows.map(({ id }) => id)).toEqual(data.map(({ id }: { id: string }) => id).toReversed());
    const euros = await ada.get('wallet/transactions.csv?currency=EUR');
    expect(euros.body.split('\r\n')).toHaveLength(2); // the header, and its end
  });

  it('finds the rare ones of a type among thousands, a bounded part of them at a time', async () => {
    const ada = await player();
    const rare = async (amount: bigint) => money.deposit(ada, amount, 'USD', 'bonus');
    await rare(1n);
    for (let n = 0; n < 3; n += 1) await money.deposits(ada, 1700, ['USD', 'EUR']);
    await rare(2n);
    await money.deposits(ada, 400, ['USD']);
    await rare(3n);
    const first = await ada.get('wallet/transactions?type=bonus&limit=1');
    expect(first.data.map(({ amount }: Listed) => amount)).toEqual([3]);
    const pages: number[] = [];
    const rows: Listed[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { data, body } = await ada.get(`wallet/transactions?type=bonus${cursor && `&cursor=${cursor}`}`);
      pages.push(data.length);
      rows.push(...(data as Listed[]));
      cursor = body.meta.pagination.nextCursor as string | null;
    }
    expect(rows.map(({ amount }) => amount)).toEqual([3, 2, 1]);
    expect(pages).toEqual([2, 1]);
    const { body } = await ada.get('wallet/transactions.csv?type=bonus');
    const records = parse<Record<string, string>>(body, { columns: true });
    expect(records.map((record) => record['amount'])).toEqual(['0.01', '0.02', '0.03']);
    const none = await ada.get('wallet/transactions?type=prize&currency=EUR');
    expect([none.data, none.body.meta.pagination.nextCursor]).toEqual([[], null]);
  }, 60_000);

  it('is written whole, however long, in order', async () => {
    const ada = await player();
    const COUNT = 2500;
    for (let n = 0; n < COUNT; n += 250) await money.deposits(ada, 250, ['USD', 'EUR']);
    const { body } = await ada.get('wallet/transactions.csv');
    const rows = parse<Record<string, string>>(body, { columns: true });
    expect(rows).toHaveLength(COUNT);
    const places = rows.map((row) => `${row['booked at']} ${row['id']!.padStart(19, '0')}`);
    expect(places).toEqual(places.toSorted());
    expect(new Set(rows.map(({ id }) => id)).size).toBe(COUNT);
  });
});
