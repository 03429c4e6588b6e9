import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/platform/database/database.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { PersonalDataService } from '../../src/platform/privacy/personal-data.service.js';
import { KeyRotationService } from '../../src/platform/security/key-rotation.service.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';
import { withdraw } from '../support/withdrawals.js';

describe('where withdrawals go', () => {
  let system: System;
  let personalData: PersonalDataService;
  let one: Client;
  let other: Client;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    personalData = system.app.get(PersonalDataService);
    [one, other] = (await new Builders(system).players(2)) as [Client, Client];
    for (const client of [one, other]) await new Wallets(system).deposit(client, 100_000n);
    await withdraw(one, { destination: 'acct_of_one' });
    await withdraw(other, { destination: 'acct_of_other' });
  });
  afterAll(async () => system.stop());

  async function exported({ userId }: Client): Promise<unknown[]> {
    return await system.app.get(Database).readSnapshot(async (snapshot) => {
      const rows: unknown[] = [];
      const section = personalData.sections(snapshot, userId).find(({ file }) => file === 'withdrawals');
      for await (const row of section!.rows) rows.push(row);
      return rows;
    });
  }

  const stored = async ({ userId }: Client): Promise<(Buffer | null)[]> => {
    const { rows } = await system.db.query<{ destination: Buffer | null }>(
      'SELECT destination FROM withdrawals WHERE user_id = $1',
      [userId],
    );
    return rows.map(({ destination }) => destination);
  };

  it('is encrypted at rest, under keys that rotate', async () => {
    const [destination] = await stored(one);
    expect(destination!.toString('latin1')).not.toContain('acct_of_one');
    const columns = await system.app.get(KeyRotationService).run();
    expect(columns.map(({ name }) => name)).toContain('withdrawals.destination');
  });

  it('is told whole to its user alone, and by its end in lists', async () => {
    expect(await exported(one)).toMatchObject([
      { destination: 'acct_of_one', amount: 5000, status: 'approved', provider: 'sandbox' },
    ]);
    expect((await one.get('wallet/withdrawals')).data).toMatchObject([{ destination: '…_one' }]);
    expect((await other.get('wallet/withdrawals')).data).toMatchObject([{ destination: '…ther' }]);
  });

  it('is kept while the money is on its way, and then erased with the user', async () => {
    const { userId } = one;
    const unitOfWork = system.app.get(UnitOfWork);
    const open = () => unitOfWork.run((manager) => personalData.openMatters(manager, userId));
    expect(await open()).toContain('open_withdrawals');
    await system.db.query(
      "UPDATE withdrawals SET status = 'failed', settled_at = requested_at, note = 'saw her passport' WHERE user_id = $1",
      [userId],
    );
    expect(await exported(one)).toMatchObject([{ note: 'saw her passport' }]);
    const review = (what: string | null) =>
      system.db.query(
        'UPDATE withdrawals SET review = $2, review_at = CASE WHEN $2::text IS NOT NULL THEN requested_at END WHERE user_id = $1',
        [userId, what],
      );
    await review('paid_unasked'); // somebody has to look still
    expect(await open()).toContain('open_withdrawals');
    await review(null);
    expect(await open()).not.toContain('open_withdrawals');
    await unitOfWork.run((manager) => personalData.erase(manager, userId));
    expect(await stored(one)).toEqual([null]);
    const { rows } = await system.db.query('SELECT note FROM withdrawals WHERE user_id = $1', [userId]);
    expect(rows).toEqual([{ note: null }]);
    expect(await exported(one)).toMatchObject([{ destination: null, amount: 5000, status: 'failed' }]);
    expect(await stored(other)).toEqual([expect.any(Buffer)]);
  });
});
