import { randomUUID } from 'node:crypto';
import { getQueueToken } from '@nestjs/bullmq';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Queue } from 'bullmq';
import { VerificationsService } from '../../src/modules/wallet/verifications.service.js';
import { VerifyService } from '../../src/modules/wallet/verify.service.js';
import type { LedgerReport } from '../../src/modules/wallet/verify.types.js';
import { QUEUES } from '../../src/platform/jobs/queues.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { holding } from '../support/crash.js';
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

  /** Asks for a verification and waits for its end. */
  async function verified(): Promise<{ id: string; report: LedgerReport }> {
    const { status, data } = await admin.call('POST', 'admin/ledger/verify');
    expect([status, data]).toEqual([
      202,
      expect.objectContaining({ state: 'queued', requestedBy: admin.userId, startedAt: null, report: null }),
    ]);
    return await eventually(async () => {
      const { data: now } = await admin.get(`admin/ledger/verifications/${data.id}`);
      expect(['queued', 'running', 'done']).toContain(now.state);
      return now.state === 'done' && now;
    });
  }

  it('is done by the worker for an operator, who is told what was found', async () => {
    const first = await verified();
    expect([first.report.passed, first.report.rules.length]).toEqual([true, 13]);
    await corrupt(7);
    const { report } = await verified();
    await corrupt(-7);
    expect(report.passed).toBe(false);
    expect(report.rules.filter(({ problems }) => problems.length > 0)).toEqual([
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
    const again = await admin.get(`admin/ledger/verifications/${first.id}`);
    expect(again.data.report).toEqual(first.report);
    const unknown = await admin.get(`admin/ledger/verifications/${randomUUID()}`);
    expect([unknown.status, unknown.error.code]).toEqual([404, 'LEDGER_VERIFICATION_NOT_FOUND']);
  });

  it('is done once of 50 who ask at once, and after the one that is under way', async () => {
    const release = await holding(system, 'SELECT pg_advisory_xact_lock(4242, 23)'); // as a night's does
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => admin.call('POST', 'admin/ledger/verify')),
    );
    const taken = answers.filter(({ status }) => status === 202);
    const refused = answers.filter(({ error }) => error?.code === 'LEDGER_VERIFY_RUNNING');
    expect([taken.length, refused.length]).toEqual([1, 49]);
    const { id } = taken[0]!.data;
    const stateOf = async () => (await admin.get(`admin/ledger/verifications/${id}`)).data.state;
    await eventually(async () => (await stateOf()) === 'running');
    await expect(verifier().verify(null)).rejects.toMatchObject({ code: 'LEDGER_VERIFY_RUNNING' });
    await release();
    await eventually(async () => (await stateOf()) === 'done');
    const { rows } = await system.db.query(
      "SELECT count(*)::int AS n FROM audit_log WHERE action = 'ledger.verified' AND actor_id = $1",
      [admin.userId],
    );
    expect(rows[0].n).toBe(3); // this one, and the two of the test before
  });

  it('stands in nobody’s way when it could not be done, or its job was lost', async () => {
    const lost = await system.db.query(
      `INSERT INTO ledger_verifications (id, requested_by, requested_at)
       VALUES (gen_random_uuid(), $1, parley_now() - interval '119 minutes') RETURNING id`,
      [admin.userId],
    );
    expect((await admin.call('POST', 'admin/ledger/verify')).error.code).toBe('LEDGER_VERIFY_RUNNING');
    await system.moveTo(new Date(system.now().getTime() + 120_000));
    await verified();
    const { data } = await admin.get(`admin/ledger/verifications/${lost.rows[0].id}`);
    expect([data.state, data.report]).toEqual(['failed', null]);
    const verifications = system.app.get(VerificationsService, { strict: false });
    const { id } = await verifications.request(admin.userId);
    await verifications.giveUp(id);
    await verified();
    expect(await verifications.describe(id)).toMatchObject({ report: null });
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
