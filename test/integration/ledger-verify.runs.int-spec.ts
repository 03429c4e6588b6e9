import { getQueueToken } from '@nestjs/bullmq';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Queue } from 'bullmq';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import { QUEUES } from '../../src/platform/jobs/queues.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { endProcessesAfterAll, TestProcess } from '../support/processes.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';

endProcessesAfterAll();

describe('verifying the ledger', () => {
  let system: System;
  let admin: Client;
  let money: Wallets;
  let users: Client[];

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    const make = new Builders(system);
    admin = await make.admin();
    users = await make.players(8);
    money = new Wallets(system);
    for (const user of users) await money.deposit(user, 100_000n);
  });
  afterAll(async () => system.stop());

  const verifier = () => system.app.get(VerifyService, { strict: false });
  /** Changes a balance, and changes it back. */
  const corrupt = async (by: number) =>
    system.db.query(
      "UPDATE ledger_accounts SET balance = balance + $2 WHERE kind = 'user_available' AND owner = $1",
      [users[0]!.userId, by],
    );
  const figures = async () => {
    const text = await (await fetch(`${system.url}/metrics`)).text();
    const figure = (name: string) => new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
    return [figure('parley_ledger_broken_rules'), figure('parley_ledger_verified_timestamp_seconds')];
  };

  it('holds at any moment, while money moves', async () => {
    const enough = new AbortController();
    const [, bob] = users as [Client, Client];
    const movers = users.map(async (user, n) => {
      while (!enough.signal.aborted) {
        const holdId = await money.hold(user, 10n);
        await money.capture(holdId, 4n, money.available(bob.userId === user.userId ? users[n + 1]! : bob));
        await money.release(holdId);
      }
    });
    const reports = [];
    for (let n = 0; n < 15; n += 1) reports.push(await verifier().verify(null));
    enough.abort();
    await Promise.all(movers);
    expect(reports.flatMap(({ rules }) => rules.filter(({ problems }) => problems.length > 0))).toEqual([]);
    const sizes = reports.map(({ entries }) => entries);
    expect(sizes.at(-1)).toBeGreaterThan(sizes[0]! + 50);
  });

  it('is done once at a time, by an operator who is told what was found', async () => {
    const first = await admin.call('POST', 'admin/ledger/verify');
    expect([first.status, first.data.passed, first.data.rules.length]).toEqual([200, true, 13]);
    await corrupt(7);
    const { data } = await admin.call('POST', 'admin/ledger/verify');
    await corrupt(-7);
    expect(data.passed).toBe(false);
    expect(data.rules.filter(({ problems }: { problems: unknown[] }) => problems.length > 0)).toEqual([
      expect.objectContaining({
        problems: [{ subject: 'all accounts', problem: 'their USD sum to 7' }],
      }),
      ...Array(2).fill(
        expect.objectContaining({
          problems: [expect.objectContaining({ subject: `account user_available ${users[0]!.userId} USD` })],
        }),
      ),
    ]);
    const { data: audited } = await admin.get('admin/audit?action=ledger.verified&limit=1');
    expect(audited[0]).toMatchObject({ actorId: admin.userId, details: { passed: false } });
    expect(audited[0].details.broken).toHaveLength(3);

    const client = await system.db.connect();
    await client.query('SELECT pg_advisory_lock(4242, 23)');
    const meanwhile = await admin.call('POST', 'admin/ledger/verify');
    await client.query('SELECT pg_advisory_unlock(4242, 23)');
    client.release();
    expect([meanwhile.status, meanwhile.error.code]).toEqual([409, 'LEDGER_VERIFY_RUNNING']);
  });

  it('is done by the worker each night, and told as figures by every process', async () => {
    const queue = system.worker!.get<Queue>(getQueueToken(QUEUES.ledgerVerify), { strict: false });
    const [nightly] = await eventually(async () => {
      const schedulers = await queue.getJobSchedulers();
      return schedulers.length > 0 && schedulers;
    });
    expect(nightly).toMatchObject({ key: 'nightly', pattern: '0 8 * * *', tz: 'UTC' });

    await verifier().verify(null);
    const [held, before] = await figures();
    expect(held).toBe('0');
    await system.moveTo(new Date(system.now().getTime() + 3_600_000));
    await corrupt(7);
    await queue.add('verify', {});
    const [broken, at] = await eventually(async () => {
      const found = await figures();
      return found[0] !== '0' && found;
    });
    await corrupt(-7);
    expect(broken).toBe('3');
    expect(Number(at) - Number(before)).toBeGreaterThanOrEqual(3600);
    expect(await queue.getFailedCount()).toBe(0); // it has done what it should
  });

  it('is a command, which ends with 1 when the ledger does not hold', async () => {
    const good = await TestProcess.start('verify', system.env);
    expect([await good.ended, good.log]).toEqual([
      { code: 0, signal: null },
      expect.stringContaining('The ledger holds.'),
    ]);
    await corrupt(7);
    const bad = await TestProcess.start('verify', system.env);
    const { code } = await bad.ended;
    await corrupt(-7);
    expect(code).toBe(1);
    expect(bad.log).toContain('WRONG  balances sum to zero in each currency\n');
    expect(bad.log).toContain('         all accounts: their USD sum to 7\n');
    expect(bad.log).toContain('ok     transfers have entries\n');
    expect(bad.log).toContain('The ledger does not hold: 3 of 13 rules are broken.');
  });
});
