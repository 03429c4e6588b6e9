import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { onSandboxPage } from '../support/sandbox-page.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { brokenMoney, moneyOf, withdraw } from '../support/withdrawals.js';

/** Money in by the sandbox's page and its webhooks, and out again: nothing but HTTP. */
describe('a wallet', () => {
  let system: System;
  let client: Client;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    [client] = (await new Builders(system).players(1)) as [Client];
  });
  afterAll(async () => system.stop());

  const has = (available: number, held: number) =>
    eventually(async () => {
      const money = await moneyOf(client);
      return money[0] === available && money[1] === held;
    });

  async function deposit(choice: Parameters<typeof onSandboxPage>[1]): Promise<string> {
    const body = { amount: 10_000, currency: 'USD', provider: 'sandbox' };
    const { status, data } = await client.post('wallet/deposits', body, { key: randomUUID() });
    expect([status, data.redirectUrl]).toEqual([201, expect.stringContaining(`${system.url}/sandbox/pay/`)]);
    expect((await onSandboxPage(data.redirectUrl, choice)).status).toBe(303);
    return data.redirectUrl;
  }

  it('is filled by what is paid on the page, once however it is told, and by nothing else', async () => {
    await deposit({ outcome: 'pay' });
    await has(10_000, 0);
    const url = await deposit({ outcome: 'pay', delivery: 'twice' });
    await has(20_000, 0);
    await onSandboxPage(url, { outcome: 'pay' });
    await deposit({ outcome: 'decline' });
    await deposit({ outcome: 'abandon' });
    await deposit({ outcome: 'pay', delivery: 'out_of_order' });
    await has(30_000, 0);
    await system.moveTo(new Date(system.now().getTime() + 8000));
    const said = await eventually(async () => {
      const { rows } = await system.db.query<{ type: string; delivered: boolean }>(
        'SELECT type, delivered_at IS NOT NULL AS delivered FROM sandbox_events ORDER BY type',
      );
      return rows.length === 6 && rows.every(({ delivered }) => delivered) && rows.map(({ type }) => type);
    });
    expect(said).toEqual([
      'payment.cancelled',
      'payment.failed',
      'payment.processing',
      ...Array(3).fill('payment.succeeded'),
    ]);
    await has(30_000, 0);
    expect(await brokenMoney(system)).toEqual([]);
  });

  it('is emptied by a withdrawal that the provider pays, and gets back what it does not', async () => {
    const { data } = await withdraw(client, { amount: 20_000, destination: 'acct_of_mine' });
    expect((await moneyOf(client))[0]).toBe(10_000);
    await has(10_000, 0);
    const failing = await withdraw(client, { amount: 10_000, destination: 'sandbox:pending_failed' });
    await has(10_000, 0);
    const list = (await client.get('wallet/withdrawals')).data;
    expect(list.map(({ id, status }: { id: string; status: string }) => [id, status])).toEqual([
      [failing.data.id, 'failed'],
      [data.id, 'paid'],
    ]);
    const types = (await client.get('wallet/transactions')).data.map(({ type }: { type: string }) => type);
    expect(types.length).toBeGreaterThanOrEqual(7);
    expect(await brokenMoney(system)).toEqual([]);
  });
});
