import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database } from '../../src/platform/database/database.js';
import { columnContext, KeyRing } from '../../src/platform/security/key-ring.js';
import { KeyRotationRepository } from '../../src/platform/security/key-rotation.repository.js';
import { KeyRotationService } from '../../src/platform/security/key-rotation.service.js';
import { Builders } from '../support/builders.js';
import { startSystem, type System } from '../support/system.js';
import { Values } from '../support/values.js';

const PHONES = 250;
const newKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const numberOf = (n: number) => `+1201555${String(n).padStart(4, '0')}`;

describe('the rotation of encryption keys', () => {
  const [old, fresh] = [newKey('old'), newKey('fresh')];
  let system: System;
  let users: string[];

  beforeAll(async () => {
    system = await startSystem({ worker: false, env: { ENCRYPTION_KEYS: old } });
    // A key of two parts, of types that do not sort as their texts do.
    await system.db.query(
      'CREATE TABLE "Odd table" (part int, id uuid, "the value" encrypted, plain bytea, PRIMARY KEY (id, part))',
    );
    const players = await new Builders(system).players(PHONES);
    users = players.map(({ userId }) => userId);
  });
  afterAll(async () => system.stop());

  beforeEach(async () => {
    await system.db.query('TRUNCATE user_phones, "Odd table"');
    await new Values(system).givePhones(
      users.map((userId) => ({ userId }) as never),
      users.map((_, n) => numberOf(n)),
    );
  });

  const ringOf = (...keys: string[]) =>
    new KeyRing(
      Object.assign(Object.create(system.config) as typeof system.config, { ENCRYPTION_KEYS: keys }),
    );
  const rotationTo = (ring: KeyRing) =>
    new KeyRotationService(new KeyRotationRepository(system.app.get(Database)), ring);
  const stored = async () =>
    (await system.db.query<{ user_id: string; number: Buffer }>('SELECT user_id, number FROM user_phones'))
      .rows;
  const under = async (ring: KeyRing) =>
    (await stored()).filter(({ number }) =>
      number.subarray(0, ring.currentHeader.length).equals(ring.currentHeader),
    ).length;

  it('encrypts every value again, so that the old key is needed no more', async () => {
    const done = await rotationTo(ringOf(fresh, old)).run();
    expect(done).toContainEqual({ name: 'user_phones.number', renewed: PHONES, failed: 0 });
    const alone = ringOf(fresh);
    const numbers = (await stored()).map(({ user_id, number }) =>
      alone.decryptText(number, columnContext('user_phones', 'number', user_id)),
    );
    expect(numbers.toSorted()).toEqual(users.map((_, n) => numberOf(n)).toSorted());
  });

  it('finds every encrypted column by itself, whatever its key', async () => {
    const before = ringOf(old);
    for (let n = 0; n < 230; n += 1) {
      const id = users[n % 7]!;
      await system.db.query('INSERT INTO "Odd table" VALUES ($1, $2, $3, $4)', [
        n,
        id,
        before.encrypt(`secret ${n}`, columnContext('Odd table', 'the value', id, String(n))),
        Buffer.from('plain'),
      ]);
    }
    await system.db.query('INSERT INTO "Odd table" VALUES (-1, $1, NULL, NULL)', [users[0]]);
    const done = await rotationTo(ringOf(fresh, old)).run();
    expect(done.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Odd table.the value', 'otp_challenges.number', 'user_phones.number']),
    );
    expect(done).toContainEqual({ name: 'Odd table.the value', renewed: 230, failed: 0 });
    const { rows } = await system.db.query('SELECT * FROM "Odd table" WHERE part = 101');
    const context = columnContext('Odd table', 'the value', rows[0].id, '101');
    expect(ringOf(fresh).decryptText(rows[0]['the value'], context)).toBe('secret 101');
    expect(rows[0].plain.toString()).toBe('plain');
  });

  it('goes on where it was stopped, and then has nothing to do', async () => {
    const ring = ringOf(fresh, old);
    const stopped = rotationTo(ring).run(({ renewed }) => {
      if (renewed > 0) throw new Error('killed');
    });
    await expect(stopped).rejects.toThrow('killed');
    const half = await under(ring);
    expect(half).toBeGreaterThan(0);
    expect(half).toBeLessThan(PHONES);
    const [rest, again] = [await rotationTo(ring).run(), await rotationTo(ring).run()];
    expect(rest).toContainEqual({ name: 'user_phones.number', renewed: PHONES - half, failed: 0 });
    expect(again).toContainEqual({ name: 'user_phones.number', renewed: 0, failed: 0 });
    expect(await under(ring)).toBe(PHONES);
  });

  it('runs twice at once, and overwrites nothing that changes meanwhile', async () => {
    const ring = ringOf(fresh, old);
    const [changed] = users;
    const context = columnContext('user_phones', 'number', changed!);
    const change = async () =>
      await system.db.query('UPDATE user_phones SET number = $2 WHERE user_id = $1', [
        changed,
        ringOf(old).encrypt('+12025550000', context),
      ]);
    await Promise.all([rotationTo(ring).run(), change(), rotationTo(ring).run()]);
    await rotationTo(ring).run();
    expect(await under(ring)).toBe(PHONES);
    const { rows } = await system.db.query('SELECT number FROM user_phones WHERE user_id = $1', [changed]);
    expect(ring.decryptText(rows[0].number, context)).toBe('+12025550000');
  });

  it('leaves what no key opens as it is, and tells how much', async () => {
    const lost = newKey('lost');
    const context = columnContext('user_phones', 'number', users[3]!);
    await system.db.query('UPDATE user_phones SET number = $2 WHERE user_id = $1', [
      users[3],
      ringOf(lost).encrypt('+12025550000', context),
    ]);
    await system.db.query(
      'UPDATE user_phones SET number = (SELECT number FROM user_phones WHERE user_id = $2) WHERE user_id = $1',
      [users[4], users[5]],
    );
    const done = await rotationTo(ringOf(fresh, old)).run();
    expect(done).toContainEqual({ name: 'user_phones.number', renewed: PHONES - 2, failed: 2 });
    const healed = await rotationTo(ringOf(fresh, old, lost)).run();
    expect(healed).toContainEqual({ name: 'user_phones.number', renewed: 1, failed: 1 });
  });

  it('has columns that take no plaintext', async () => {
    for (const plaintext of [Buffer.from('+12015550123'), Buffer.alloc(0), Buffer.alloc(60, 2)])
      await expect(
        system.db.query('UPDATE user_phones SET number = $2 WHERE user_id = $1', [users[0], plaintext]),
      ).rejects.toThrow(/violates check constraint|out of valid range/);
  });
});
