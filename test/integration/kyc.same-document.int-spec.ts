import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KycExclusionsService } from '../../src/modules/compliance/kyc/kyc-exclusions.service.js';
import { Builders } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { caseOf, handedIn, patiently } from '../support/kyc.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { someone } from '../support/staff.js';
import { eventually, type System } from '../support/system.js';

/** One document in several accounts: what bars one of them reaches the others. */
describe('a document that several accounts have shown', () => {
  let system: System;
  let make: Builders;
  let officer: Client;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { at: '2026-03-04T12:00:00Z' });
    make = new Builders(system);
    officer = await someone(system, make, 'compliance');
  });
  afterAll(async () => system.stop());

  const shown = async (count: number) => {
    const clients = await make.players(count);
    for (const client of clients) await handedIn(client);
    return clients;
  };
  const approve = async (client: Client, number?: string, over: object = {}): Promise<Answer> =>
    await patiently(async () =>
      officer.post(`admin/kyc/${(await caseOf(system, client)).id}/decide`, {
        decision: 'approve',
        round: 1,
        birthDate: '1990-01-01',
        number,
        ...over,
      }),
    );
  const refusalOf = async (client: Client) => (await client.get('compliance/status')).data.refusal as unknown;
  const exclusionsOf = async (clients: readonly Client[]) => {
    const { rows } = await system.db.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM restrictions WHERE kind = 'self_exclusion' AND user_id = ANY ($1::uuid[]) GROUP BY user_id`,
      [clients.map(({ userId }) => userId)],
    );
    return rows.map(({ n }) => n);
  };
  const allExcluded = (clients: readonly Client[]) =>
    eventually(async () => (await exclusionsOf(clients)).length === clients.length);

  it('carries an exclusion to all who have shown it before, once each', async () => {
    const [first, ...others] = await shown(3);
    await approve(first!, 'ALL-1');
    for (const each of others)
      expect((await approve(each, 'all 1', { secondAccount: true })).status).toBe(200);
    await first!.post('compliance/self-exclusion', { months: 12 });
    await allExcluded(others);
    for (const each of others) expect(await refusalOf(each)).toBe('SELF_EXCLUDED');
    // What they tell each other ends: nothing is left to be told.
    await eventually(async () => {
      const { rowCount } = await system.db.query(
        "SELECT 1 FROM outbox WHERE topic = 'compliance.self-excluded'",
      );
      return rowCount === 0;
    });
    await system.app.get(KycExclusionsService, { strict: false }).carryOver(first!.userId);
    expect(await exclusionsOf([first!, ...others])).toEqual([1, 1, 1]);
  });

  it('carries a longer exclusion, and leaves a longer one as it is', async () => {
    const [one, other] = await shown(2);
    await approve(one!, 'LONG-1');
    await approve(other!, 'LONG-1', { secondAccount: true });
    await other!.post('compliance/self-exclusion', { permanent: true });
    await allExcluded([one!]);
    await one!.post('compliance/self-exclusion', { months: 12 });
    await system.app.get(KycExclusionsService, { strict: false }).carryOver(one!.userId);
    const { rows } = await system.db.query(
      `SELECT DISTINCT ends_at FROM restrictions WHERE kind = 'self_exclusion' AND user_id = ANY ($1::uuid[])`,
      [[one!.userId, other!.userId]],
    );
    expect(rows).toEqual([{ ends_at: null }]);
  });

  it('reaches others too when who is excluded shows it only afterwards', async () => {
    const [before, after] = await shown(2);
    await approve(before!, 'LATE-1');
    await after!.post('compliance/self-exclusion', { months: 12 });
    await approve(after!, 'LATE-1', { secondAccount: true });
    await allExcluded([before!]);
    const [third] = await shown(1);
    await approve(third!, 'LATE-1', { secondAccount: true });
    expect(await refusalOf(third!)).toBe('SELF_EXCLUDED');
  });

  it('misses nobody who is verified while the other excludes themselves', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [gone, back] = await shown(2);
      await approve(gone!, `RACE-${round}`);
      await Promise.all([
        approve(back!, `RACE-${round}`, { secondAccount: true }),
        gone!.post('compliance/self-exclusion', { months: 12 }),
      ]);
      await allExcluded([gone!, back!]);
      expect(await exclusionsOf([gone!, back!])).toEqual([1, 1]);
    }
  });

  it('is approved for one of 20 accounts at once; the others are in doubt', async () => {
    const clients = await shown(20);
    const answers = await Promise.all(clients.map((client) => approve(client, 'MANY-1')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ error }) => error?.code === 'KYC_DOCUMENT_ELSEWHERE')).toHaveLength(19);
    const { rows } = await system.db.query(
      `SELECT status, reason, count(*)::int AS n FROM kyc_cases WHERE user_id = ANY ($1::uuid[]) GROUP BY 1, 2 ORDER BY 1`,
      [clients.map(({ userId }) => userId)],
    );
    expect(rows).toEqual([
      { status: 'in_review', reason: 'document_elsewhere', n: 19 },
      { status: 'verified', reason: null, n: 1 },
    ]);
  });

  it('stays in doubt though it is approved without its number', async () => {
    const [one, other] = await shown(2);
    await approve(one!, 'NUMBER-1');
    await approve(other!, 'NUMBER-1');
    expect((await approve(other!)).error.code).toBe('KYC_DOCUMENT_ELSEWHERE');
  });

  it('of somebody who is banned and not erased is for an operator to look at', async () => {
    const [gone, back] = await shown(2);
    await approve(gone!, 'BANNED-1');
    const admin = await someone(system, make, 'admin');
    const banned = await admin.call('PATCH', `admin/users/${gone!.userId}`, {
      body: { status: 'banned', reason: 'fraud' },
    });
    expect(banned.status).toBe(200);
    const { status, error } = await approve(back!, 'BANNED-1', { secondAccount: true });
    expect([status, error.code, error.details]).toEqual([409, 'KYC_IDENTITY_BANNED', { until: null }]);
    expect((await caseOf(system, back!))['status']).toBe('in_review');
    // A ban that is lifted hinders nobody any more.
    await admin.call('PATCH', `admin/users/${gone!.userId}`, {
      body: { status: 'active', reason: 'other' },
    });
    expect((await approve(back!, 'BANNED-1', { secondAccount: true })).data?.state).toBe('verified');
  });

  it('of who is banned already when it is approved, hinders nobody once the ban is lifted', async () => {
    const [gone, back] = await shown(2);
    await system.db.query("UPDATE users SET status = 'banned', ban_reason = 'other' WHERE id = $1", [
      gone!.userId,
    ]);
    await approve(gone!, 'BANNED-2');
    await system.db.query("UPDATE users SET status = 'active', ban_reason = NULL WHERE id = $1", [
      gone!.userId,
    ]);
    expect((await approve(back!, 'BANNED-2', { secondAccount: true })).data?.state).toBe('verified');
  });
});
