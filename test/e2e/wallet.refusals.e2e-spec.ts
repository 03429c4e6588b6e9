import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { NAUGHTY } from '../support/naughty-place.js';
import { startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

interface Listed {
  id: string;
}

describe('a wallet, asked for what it does not tell,', () => {
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

  it.each([
    'from=2023-10-03',
    'to=yesterday',
    'from=2023-10-03T12:00:00%2B01:00',
    'from=2023-10-04T00:00:00Z&to=2023-10-03T00:00:00Z',
    'from=2023-10-03T00:00:00Z&to=2023-10-03T00:00:00Z',
    'currency=usd',
    'currency=DOLLARS',
    'type=%27%20OR%201=1',
    'type=',
    'account=held',
  ])('refuses to look for %s', async (query) => {
    const ada = await player();
    for (const path of ['wallet/transactions', 'wallet/transactions.csv']) {
      const { status, error } = await ada.get(`${path}?${query}`);
      expect([path, status, error.code]).toEqual([path, 400, 'VALIDATION_FAILED']);
    }
  });

  it.each(['type', 'currency', 'from', 'to', 'cursor', 'limit'])(
    'takes no harm from what stands in %s, and shows nothing for it',
    async (field) => {
      const ada = await player();
      await money.deposit(ada, 1n);
      const answers = await Promise.all(
        NAUGHTY.map(async (text) =>
          ada.get(`wallet/transactions?${new URLSearchParams({ [field]: text.toWellFormed() }).toString()}`),
        ),
      );
      const outcomes = new Set(
        answers.map(({ status, error, data }) =>
          status === 200 ? `shows ${data.length}` : `${status} ${error.code}`,
        ),
      );
      const harmless = ['400 VALIDATION_FAILED', '400 INVALID_CURSOR', `shows ${field === 'limit' ? 1 : 0}`];
      expect([...outcomes].filter((outcome) => !harmless.includes(outcome))).toEqual([]);
      expect(answers.filter(({ status }) => status === 400).length).toBeGreaterThan(300);
    },
  );

  it('shows to one user only their own, also behind a cursor of another', async () => {
    const [ada, bob] = [await player(), await player()];
    for (const user of [ada, bob, ada, bob, ada]) await money.deposit(user, 10n);
    await money.hold(ada, 5n);
    await money.hold(ada, 5n);
    const ids = ({ data }: { data: Listed[] }) => data.map(({ id }) => id);
    const hers = await ada.get('wallet/transactions?limit=1');
    const cursor = hers.body.meta.pagination.nextCursor as string;
    const his = ids(await bob.get('wallet/transactions'));
    expect(his).toHaveLength(2);
    expect(ids(await bob.get(`wallet/transactions?cursor=${cursor}`))).toEqual(his);
    const held = await ada.get('wallet/holds?limit=1');
    expect(ids(held)).toHaveLength(1);
    expect(ids(await bob.get(`wallet/holds?cursor=${held.body.meta.pagination.nextCursor}`))).toEqual([]);
    expect((await bob.get('wallet/transactions.csv')).body).not.toContain(hers.data[0].transferId);
  });
});
