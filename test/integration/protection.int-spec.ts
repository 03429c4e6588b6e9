import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KnownDevicesService } from '../../src/modules/auth/lockout/known-devices.service.js';
import { LockoutService } from '../../src/modules/auth/lockout/lockout.service.js';
import { ChallengesService } from '../../src/modules/auth/totp/challenges.service.js';
import { TotpService } from '../../src/modules/auth/totp/totp.service.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import type { Caller } from '../../src/platform/http/caller.decorator.js';
import type { Forgetful } from '../../src/platform/jobs/housekeeping.decorator.js';
import { Builders } from '../support/builders.js';
import { startSystem, type System } from '../support/system.js';

describe('the lock-out, from inside', () => {
  let system: System;
  let lockout: LockoutService;
  let devices: KnownDevicesService;
  let userId: string;
  let make: Builders;
  let count = 0;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    lockout = system.app.get(LockoutService);
    devices = system.app.get(KnownDevicesService);
    make = new Builders(system);
  });
  afterAll(async () => system.stop());
  beforeEach(async () => {
    userId = (await make.players(1))[0]!.userId;
  });

  const callerAt = (address: string, fingerprint: string | null = null): Caller => ({
    address,
    fingerprint,
    deviceToken: null,
    userAgent: null,
    captcha: null,
    jkt: null,
    place: { country: 'US', region: 'CO', anonymous: false },
  });
  const stranger = () => callerAt(`10.1.${Math.floor((count += 1) / 250)}.${count % 250}`);
  const target = () => ({ userId, identifier: '' });

  async function guess(
    caller: Caller,
    right = false,
    kind: 'password' | 'code' = 'password',
  ): Promise<'in' | 'wrong' | 'SIGN_IN_LOCKED'> {
    try {
      return (await lockout.guard(kind, target(), caller, async () => right)) ? 'in' : 'wrong';
    } catch (error) {
      return (error as { code: 'SIGN_IN_LOCKED' }).code;
    }
  }

  async function lockBy(caller: () => Caller, kind: 'password' | 'code' = 'password'): Promise<void> {
    for (let n = 0; n < 3; n += 1) expect(await guess(caller(), false, kind)).toBe('wrong');
  }

  async function later(seconds: number): Promise<void> {
    await system.moveTo(new Date(system.now().getTime() + seconds * 1000));
  }

  const reset = (caller: Caller) =>
    system.app.get(UnitOfWork).run((manager) => lockout.startAnew(manager, userId, caller));
  const signedIn = (caller: Caller) =>
    system.app
      .get(UnitOfWork)
      .run((manager) => devices.remember(manager, { id: userId, numberIndex: null }, caller, true));

  it('counts an attempt whose process died as wrong', async () => {
    let finish: (right: boolean) => void = () => undefined;
    const dead = new Promise<boolean>((resolve) => (finish = resolve));
    const hanging = Array.from({ length: 3 }, () =>
      lockout.guard('password', target(), stranger(), () => dead),
    );
    await new Promise((resolve) => setTimeout(resolve, 200)); // until all three are entered
    await later(61);
    expect(await guess(stranger(), true)).toBe('SIGN_IN_LOCKED');
    finish(false);
    await Promise.all(hanging);
  });

  it('counts an attempt that failed for another reason as none', async () => {
    for (let n = 0; n < 5; n += 1)
      await expect(
        lockout.guard('password', target(), stranger(), () =>
          Promise.reject(new Error('the database is away')),
        ),
      ).rejects.toThrow('the database is away');
    expect(await guess(stranger(), true)).toBe('in');
  });

  it('lets the device through on which the password was reset, whatever strangers go on trying', async () => {
    const owner = callerAt('198.51.100.20', 'new-phone');
    await lockBy(stranger);
    expect(await guess(owner, true)).toBe('SIGN_IN_LOCKED');
    await reset(owner);
    await lockBy(stranger);
    expect(await guess(stranger(), true)).toBe('SIGN_IN_LOCKED');
    expect(await guess(owner, true)).toBe('in');
  });

  it('lets a device through by the token that it was given when the password was reset on it', async () => {
    const deviceToken = await reset(stranger());
    await lockBy(stranger);
    expect(await guess(stranger(), true)).toBe('SIGN_IN_LOCKED');
    expect(await guess({ ...stranger(), deviceToken }, true)).toBe('in');
  });

  it('lets a known device through that had locked itself, once the password was reset on it', async () => {
    const owner = callerAt('198.51.100.21', 'old-phone');
    await signedIn(owner);
    await lockBy(() => owner);
    expect(await guess(owner, true)).toBe('SIGN_IN_LOCKED');
    await reset(owner);
    expect(await guess(owner, true)).toBe('in');
  });

  it('knows no device from before a reset', async () => {
    const thief = callerAt('198.51.100.22', 'thiefs-phone');
    await signedIn(thief);
    await reset(callerAt('198.51.100.23', 'owners-phone'));
    await lockBy(stranger);
    expect(await guess(thief, true)).toBe('SIGN_IN_LOCKED');
  });

  it('gives who reads the mail no more guesses at codes', async () => {
    await lockBy(stranger, 'code');
    for (let n = 0; n < 3; n += 1) {
      const thief = callerAt('198.51.100.24', `phone-${n}`);
      await reset(thief);
      expect(await guess(thief, true, 'code')).toBe('SIGN_IN_LOCKED');
    }
  });

  it('keeps guesses at passwords and at codes apart', async () => {
    const owner = callerAt('198.51.100.25', 'owners-phone');
    await signedIn(owner);
    for (let n = 0; n < 2; n += 1) await guess(owner, false, 'code');
    expect(await guess(owner, true)).toBe('in'); // clears no guesses at codes
    expect(await guess(owner, false, 'code')).toBe('wrong');
    expect(await guess(owner, true, 'code')).toBe('SIGN_IN_LOCKED');
    expect(await guess(owner, true)).toBe('in');
  });

  it('forgets a device that was not seen for 90 days', async () => {
    const owner = callerAt('198.51.100.26', 'owners-phone');
    await signedIn(owner);
    await later(89 * 86_400);
    await lockBy(stranger);
    expect(await guess(owner, true)).toBe('in');
    await later(2 * 86_400);
    await lockBy(stranger);
    expect(await guess(owner, true)).toBe('SIGN_IN_LOCKED');
  });

  it('and the second factor forget what nobody can need any more, and nothing else', async () => {
    const { db, app } = system;
    const now = system.now();
    for (const table of ['attempt_counters', 'known_devices']) await db.query(`DELETE FROM ${table}`);
    for (const [age, kept] of [
      [100, false],
      [1, true],
    ] as const) {
      const at = new Date(now.getTime() - age * 86_400_000);
      const [player] = await make.players(1);
      await db.query('INSERT INTO attempt_counters (key, day) VALUES ($1, $2::timestamptz::date)', [
        randomBytes(32),
        at,
      ]);
      await db.query(
        'INSERT INTO known_devices (device, user_id, signed_in, seen_at) VALUES ($1, $2, true, $3)',
        [randomBytes(32), userId, at],
      );
      await db.query(
        `INSERT INTO second_factor_challenges (token_hash, user_id, proof, created_at, expires_at)
         VALUES ($1, $2, 'password', $3, $3::timestamptz + interval '5 minutes')`,
        [randomBytes(32), userId, at],
      );
      await db.query('INSERT INTO totp (user_id, secret, created_at) VALUES ($1, $2, $3)', [
        player!.userId,
        Buffer.concat([Buffer.of(1), randomBytes(60)]),
        kept ? new Date(now.getTime() - 3600_000) : at,
      ]);
    }
    const holders: Forgetful[] = [lockout, app.get(ChallengesService), app.get(TotpService)];
    for (const forget of holders.flatMap(({ forgets }) => forgets)) {
      const forgotten = await forget(100);
      expect(forgotten).toBe(1);
      expect(await forget(100)).toBe(0);
    }
    for (const table of ['attempt_counters', 'known_devices', 'second_factor_challenges', 'totp'])
      expect((await db.query(`SELECT FROM ${table}`)).rowCount).toBe(1);
  });

  it('asks for a name that nobody has as for an account', async () => {
    const nobody = { userId: null, identifier: `${randomUUID()}@example.com` };
    for (let n = 0; n < 3; n += 1)
      expect(await lockout.guard('password', nobody, stranger(), async () => false)).toBe(false);
    await expect(lockout.guard('password', nobody, stranger(), async () => true)).rejects.toMatchObject({
      code: 'SIGN_IN_LOCKED',
    });
  });
});
