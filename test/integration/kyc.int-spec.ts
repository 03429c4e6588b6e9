import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { KycDocumentsService } from '../../src/modules/compliance/kyc/kyc-documents.service.js';
import { KycUpkeep } from '../../src/modules/compliance/kyc/kyc-upkeep.service.js';
import { ErasureService } from '../../src/modules/users/privacy/erasure.service.js';
import { newId } from '../../src/platform/database/ids.js';
import { RedisConnections } from '../../src/platform/redis/redis-connections.js';
import { KeyRotationService } from '../../src/platform/security/key-rotation.service.js';
import { Builders } from '../support/builders.js';
import type { Answer, Client } from '../support/client.js';
import { caseOf, handedIn, known, PASSPORT, patiently, png, upload } from '../support/kyc.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { someone } from '../support/staff.js';
import { eventually, type System } from '../support/system.js';
import { Wallets } from '../support/wallets.js';
import { brokenMoney, moneyOf, withdraw } from '../support/withdrawals.js';

const codeOf = ({ status, error }: Answer) => (status < 300 ? 'ok' : error.code);
const count = (answers: readonly Answer[], code: string) =>
  answers.filter((answer) => codeOf(answer) === code).length;
const MANY = { openAtMost: 1000 };

/** What needs an identity, and what becomes of the documents. */
describe('an identity', () => {
  let system: System;
  let make: Builders;
  let wallets: Wallets;
  let officer: Client;

  beforeAll(async () => {
    system = await startSystemWithRules(
      { withdrawals: MANY, payments: MANY },
      { at: '2026-03-04T12:00:00Z' },
    );
    make = new Builders(system);
    wallets = new Wallets(system);
    officer = await someone(system, make, 'compliance');
  });
  afterAll(async () => system.stop());
  afterEach(async () => {
    expect(await brokenMoney(system)).toEqual([]);
  });

  const player = async () => (await make.players(1))[0]!;
  const rich = async (amount: bigint, currency = 'USD') => {
    const client = await player();
    await wallets.deposit(client, amount, currency);
    return client;
  };
  const deposit = (client: Client, amount: number, currency = 'USD') =>
    client.post('wallet/deposits', { amount, currency, provider: 'sandbox' }, { key: randomUUID() });
  const approve = async (client: Client, birthDate = '1990-01-01', number?: string) =>
    await officer.post(`admin/kyc/${(await caseOf(system, client)).id}/decide`, {
      decision: 'approve',
      round: 1,
      birthDate,
      number,
    });

  it('is asked for above the threshold of 30 days, to the unit, and of who is known it is not', async () => {
    const client = await rich(1_000_000n);
    expect(codeOf(await withdraw(client, { amount: 199_000 }))).toBe('ok');
    const over = await withdraw(client, { amount: 1001 });
    expect([over.status, over.error.code, over.error.details]).toEqual([
      403,
      'KYC_REQUIRED',
      {
        kind: 'withdrawal',
        threshold: 200_000,
        currency: 'USD',
        state: 'none',
        next: 'POST compliance/kyc',
      },
    ]);
    expect(codeOf(await withdraw(client, { amount: 1000 }))).toBe('ok');
    await handedIn(client);
    expect((await withdraw(client, { amount: 1000 })).error.details['state']).toBe('in_review');
    await approve(client);
    const { status, data } = await withdraw(client, { amount: 1000 });
    expect([status, data.status]).toEqual([201, 'requested']); // an operator's word, as before
  });

  it('holds no money that it refuses', async () => {
    const client = await rich(500_000n);
    expect(codeOf(await withdraw(client, { amount: 200_001 }))).toBe('KYC_REQUIRED');
    expect(await moneyOf(client)).toEqual([500_000, 0]);
  });

  it('lets 50 withdrawals at once through no further than one after the other', async () => {
    const client = await rich(1_000_000n);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => patiently(() => withdraw(client, { amount: 10_000 }))),
    );
    expect([count(answers, 'ok'), count(answers, 'KYC_REQUIRED')]).toEqual([20, 30]);
    const { rows } = await system.db.query<{ sum: string }>(
      "SELECT sum(amount)::text AS sum FROM withdrawals WHERE user_id = $1 AND status <> 'failed'",
      [client.userId],
    );
    expect(rows[0]!.sum).toBe('200000');
  });

  it('lets 50 deposits at once through no further than the threshold of a lifetime', async () => {
    const client = await player();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => patiently(() => deposit(client, 10_000))),
    );
    expect([count(answers, 'ok'), count(answers, 'KYC_REQUIRED')]).toEqual([20, 30]);
    // Months later they count as before; of who is known they do not.
    await known(system, client);
    expect(codeOf(await deposit(client, 500_000))).toBe('ok');
  });

  it('counts deposits that are under way, and none that came to nothing', async () => {
    const client = await player();
    const { data } = await deposit(client, 200_000);
    expect(codeOf(await deposit(client, 500))).toBe('KYC_REQUIRED');
    await system.db.query(
      "UPDATE payments SET status = 'failed', failed_at = now(), check_at = NULL WHERE id = $1",
      [data.paymentId],
    );
    expect(codeOf(await deposit(client, 500))).toBe('ok');
  });

  it('is known or not, never in between: withdrawals while it is taken back', async () => {
    for (let round = 0; round < 5; round += 1) {
      const client = await rich(10_000_000n);
      await handedIn(client);
      await approve(client);
      const { id } = await caseOf(system, client);
      const revoke = () =>
        officer
          .post(`admin/kyc/${id}/decide`, { decision: 'revoke', round: 1, reason: 'stolen' })
          .then((answer) => {
            revokedAt = performance.now();
            return answer;
          });
      let revokedAt = Infinity;
      const asked: { at: number; code: string }[] = [];
      const one = async () => {
        const at = performance.now();
        asked.push({ at, code: codeOf(await patiently(() => withdraw(client, { amount: 250_000 }))) });
      };
      await Promise.all([...Array.from({ length: 10 }, one), revoke(), ...Array.from({ length: 10 }, one)]);
      await one();
      expect(asked.filter(({ at, code }) => at > revokedAt && code === 'ok')).toEqual([]);
      expect(asked.at(-1)!.code).toBe('KYC_REQUIRED');
      expect(asked.filter(({ code }) => !['ok', 'KYC_REQUIRED'].includes(code))).toEqual([]);
    }
  });

  it('reaches the sessions that are cached with the answer to the operator', async () => {
    const client = await player();
    await client.get('me'); // its session is in Redis from now on
    await handedIn(client);
    const { rows } = await system.db.query<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1', [
      client.userId,
    ]);
    const key = `${system.config.REDIS_PREFIX}:session:${rows[0]!.id}`;
    const inRedis = async () => await system.app.get(RedisConnections).cache.get(key);
    expect(await inRedis()).toContain('|1990-01-01|0|');
    await approve(client, '1989-12-31');
    expect(await inRedis()).toContain('|1989-12-31|1|');
  });

  it('is forgotten with the account: the keys, the files, and nothing that the law wants to see', async () => {
    const client = await player();
    await handedIn(client);
    await approve(client, '1990-01-01', 'Z-99');
    expect((await caseOf(system, client))['number_index']).not.toBeNull();
    const { id } = await caseOf(system, client);
    const { rows } = await system.db.query<{ id: string }>(
      'SELECT id FROM kyc_documents WHERE case_id = $1',
      [id],
    );
    const files = rows.map((row) => join(system.config.DOCUMENTS_DIR, row.id.slice(-2), row.id));
    expect(files.map((file) => existsSync(file))).toEqual([true, true]);

    await system.db.query('UPDATE users SET closing_at = $2 WHERE id = $1', [client.userId, system.now()]);
    await system.app.get(ErasureService, { strict: false }).eraseIfDue(client.userId);
    const after = await caseOf(system, client);
    expect([after['status'], after['number_index'], after['note'], after['decided_by']]).toEqual([
      'verified',
      null,
      null,
      officer.userId,
    ]);
    expect((await system.db.query('SELECT 1 FROM kyc_documents WHERE case_id = $1', [id])).rowCount).toBe(0);
    await eventually(() => Promise.resolve(!files.some((file) => existsSync(file))));
  });

  it('leaves what an excluded person has shown to be known again, erased or not', async () => {
    const [gone, back] = [await player(), await player()];
    await handedIn(gone);
    await approve(gone, '1990-01-01', 'KEEP-1');
    await gone.post('compliance/self-exclusion', { months: 60 });
    await system.db.query('UPDATE users SET closing_at = $2 WHERE id = $1', [gone.userId, system.now()]);
    await system.app.get(ErasureService, { strict: false }).eraseIfDue(gone.userId);
    await handedIn(back);
    expect((await approve(back, '1990-01-01', 'keep 1')).data.state).toBe('verified');
    expect((await back.get('compliance/status')).data.refusal).toBe('SELF_EXCLUDED');
  });

  it('of somebody who is banned is for an operator to look at', async () => {
    const [gone, back] = [await player(), await player()];
    await handedIn(gone);
    await approve(gone, '1990-01-01', 'BAN-1');
    await system.db.query(
      "UPDATE users SET status = 'banned', ban_reason = 'other', closing_at = $2 WHERE id = $1",
      [gone.userId, system.now()],
    );
    await system.app.get(ErasureService, { strict: false }).eraseIfDue(gone.userId);
    await handedIn(back);
    const { status, error } = await approve(back, '1990-01-01', 'BAN-1');
    expect([status, error.code, error.details]).toEqual([409, 'KYC_IDENTITY_BANNED', { until: null }]);
    expect((await caseOf(system, back))['status']).toBe('in_review');
  });

  it('keeps its files under keys that the rotation renews, without touching a file', async () => {
    const client = await player();
    await client.post('compliance/kyc', PASSPORT);
    const front = png(40_000);
    await upload(client, 'front', front);
    const { id } = await caseOf(system, client);
    const done = await system.app.get(KeyRotationService, { strict: false }).run();
    const column = done.find(({ name }) => name === 'kyc_documents.data_key');
    expect([column?.renewed, column?.failed]).toEqual([0, 0]); // under the first key already, and every one opens
    const { rows } = await system.db.query<{ id: string }>(
      'SELECT id FROM kyc_documents WHERE case_id = $1',
      [id],
    );
    const { bytes } = await system.app
      .get(KycDocumentsService, { strict: false })
      .read(officer.userId, id, rows[0]!.id);
    expect(bytes.equals(front)).toBe(true);
  });

  it('leaves no file that belongs to nobody for longer than a day', async () => {
    const folder = system.config.DOCUMENTS_DIR;
    const [stray, half, young] = [newId(), newId(), newId()];
    const pathOf = (name: string) => join(folder, name.slice(-2), name);
    for (const name of [stray, half, young]) await mkdir(join(folder, name.slice(-2)), { recursive: true });
    await writeFile(pathOf(stray), 'x');
    await writeFile(`${pathOf(half)}.part`, 'x');
    await writeFile(pathOf(young), 'x');
    const [now, before] = [system.now(), new Date(system.now().getTime() - 25 * 3_600_000)];
    await utimes(pathOf(stray), before, before);
    await utimes(`${pathOf(half)}.part`, before, before);
    await utimes(pathOf(young), now, now);
    const client = await player();
    await client.post('compliance/kyc', PASSPORT);
    await upload(client, 'front');
    const { rows } = await system.db.query<{ id: string }>(
      'SELECT id FROM kyc_documents ORDER BY id DESC LIMIT 1',
    );
    await utimes(pathOf(rows[0]!.id), before, before);
    const [removeStrays] = system.app.get(KycUpkeep, { strict: false }).forgets;
    expect(await removeStrays!(1)).toBe(1);
    expect(await removeStrays!(100)).toBe(1);
    expect(
      [stray, `${half}.part`, young, rows[0]!.id].map((name) =>
        existsSync(join(folder, name.replace('.part', '').slice(-2), name)),
      ),
    ).toEqual([false, false, true, true]);
  });
});

/** Where identities are known before anything is paid in, and from the first unit that is paid out. */
describe('an identity in Great Britain', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { at: '2026-03-04T12:00:00Z', env: { GEO_LOCAL_PLACE: 'GB' } });
  });
  afterAll(async () => system.stop());

  it('comes first: no deposit by who declares an age, no withdrawal by who is not known', async () => {
    const make = new Builders(system);
    const client = (await make.players(1))[0]!;
    const deposit = () =>
      client.post(
        'wallet/deposits',
        { amount: 1000, currency: 'EUR', provider: 'sandbox' },
        { key: randomUUID() },
      );
    expect(codeOf(await deposit())).toBe('AGE_NOT_VERIFIED');
    await new Wallets(system).deposit(client, 5000n, 'EUR');
    const refused = await withdraw(client, { amount: 1000, currency: 'EUR' });
    expect([refused.error.code, refused.error.details['threshold']]).toEqual(['KYC_REQUIRED', 0]);

    const { data } = await client.post('compliance/age', PASSPORT);
    expect(data).toMatchObject({ verified: false, verifiedAt: null, kyc: { state: 'pending' } });
    await handedIn(client);
    const officer = await someone(system, make, 'compliance');
    const { id } = await caseOf(system, client);
    await officer.post(`admin/kyc/${id}/decide`, {
      decision: 'approve',
      round: 1,
      birthDate: '1990-01-01',
    });
    expect(codeOf(await deposit())).toBe('ok');
    expect(codeOf(await withdraw(client, { amount: 1000, currency: 'EUR' }))).toBe('ok');
  });
});
