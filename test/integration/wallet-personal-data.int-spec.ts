import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import { Database } from '../../src/platform/database/database.js';
import type { JsonRow } from '../../src/platform/database/snapshot.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { PersonalDataService } from '../../src/platform/privacy/personal-data.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

describe('what the wallet holds about people', () => {
  let system: System;
  let make: Builders;
  let money: Wallets;
  let people: PersonalDataService;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    money = new Wallets(system);
    people = system.app.get(PersonalDataService);
  });
  afterAll(async () => system.stop());

  async function exported({ userId }: Client): Promise<Record<string, JsonRow[]>> {
    return await system.app.get(Database).readSnapshot(async (snapshot) => {
      const files: Record<string, JsonRow[]> = {};
      for (const { file, rows } of people.sections(snapshot, userId))
        if (file.startsWith('wallet-')) for await (const row of rows) (files[file] ??= []).push(row);
      return files;
    });
  }

  const within = async <T>(work: Parameters<UnitOfWork['run']>[0]): Promise<T> =>
    (await system.app.get(UnitOfWork).run(work)) as T;
  const openMatters = async ({ userId }: Client): Promise<string[]> =>
    await within(async (manager) => people.openMatters(manager, userId));

  it('is exported to whom it is about, and nobody else’s with it', async () => {
    const [ada, bob, eve] = (await make.players(3)) as [Client, Client, Client];
    await money.deposit(ada, 1000n);
    await money.move(money.available(ada), money.available(bob), 300n, 'stake');
    await money.hold(ada, 50n);
    expect(await exported(ada)).toEqual({
      'wallet-accounts': [
        expect.objectContaining({ kind: 'user_available', currency: 'USD', balance: 650 }),
        expect.objectContaining({ kind: 'user_held', currency: 'USD', balance: 50 }),
      ],
      'wallet-transactions': [
        expect.objectContaining({ type: 'deposit', amount: 1000, balanceAfter: 1000 }),
        expect.objectContaining({ type: 'stake', amount: -300, balanceAfter: 700 }),
        expect.objectContaining({ type: 'hold', account: 'user_available', amount: -50 }),
        expect.objectContaining({ type: 'hold', account: 'user_held', amount: 50 }),
      ],
      'wallet-holds': [expect.objectContaining({ purpose: 'withdrawal', status: 'held', amount: 50 })],
    });
    expect((await exported(bob))['wallet-transactions']).toHaveLength(1);
    expect(JSON.stringify(await exported(ada))).not.toContain(bob.userId);
    expect(await exported(eve)).toEqual({});
  });

  it('puts an erasure off while there is money, and stays in the books after it', async () => {
    const [ada, bob] = (await make.players(2)) as [Client, Client];
    expect(await openMatters(ada)).toEqual([]);
    await money.deposit(ada, 100n);
    expect(await openMatters(ada)).toEqual(['money_in_wallet']);
    const holdId = await money.hold(ada, 100n);
    expect(await openMatters(ada)).toEqual(['money_in_wallet']);
    await money.capture(holdId, 100n, money.available(bob));
    expect(await openMatters(ada)).toEqual([]);
    const before = await exported(ada);
    await within(async (manager) => people.erase(manager, ada.userId));
    expect(await exported(ada)).toEqual(before);
    expect((await system.app.get(VerifyService, { strict: false }).verify(null)).passed).toBe(true);
  });
});
