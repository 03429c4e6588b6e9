import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PasswordHasher } from '../../src/platform/security/password-hasher.js';
import { PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';

interface Device {
  address: string;
  fingerprint?: string;
  userAgent?: string;
  /** What it was given when somebody signed in on it. */
  token?: string;
}

const OWNER: Device = {
  address: '198.51.100.7',
  fingerprint: 'owners-phone',
  userAgent: 'Parley/1.0 (iPhone)',
};

describe('the lock-out', () => {
  let system: System;
  let anyone: Client;
  let compared = 0;
  let count = 0;

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: { TRUSTED_PROXIES: 'loopback' },
    });
    anyone = new Client(system.url);
    const hasher = system.app.get(PasswordHasher);
    const verify = hasher.verify.bind(hasher);
    hasher.verify = async (stored, password) => {
      compared += 1;
      return await verify(stored, password);
    };
  });
  afterAll(async () => system.stop());

  const headersOf = ({ address, fingerprint, userAgent = 'test', token }: Device) => ({
    'X-Forwarded-For': address,
    'User-Agent': userAgent,
    ...(fingerprint === undefined ? {} : { 'X-Device-Fingerprint': fingerprint }),
    ...(token === undefined ? {} : { 'X-Device-Token': token }),
  });

  /** Somebody of whom nothing is known: another address each time. */
  function stranger(): Device {
    count += 1;
    return { address: `10.${(count >> 14) % 250}.${(count >> 6) % 250}.${1 + (count % 64)}` };
  }

  async function register(
    device: Device = OWNER,
  ): Promise<{ email: string; id: string; token: string; deviceToken: string }> {
    count += 1;
    const email = `locked${count}@example.com`;
    const { status, data } = await anyone.post(
      'auth/register',
      {
        email,
        password: PASSWORD,
        handle: `locked_${count}`,
        birthDate: '1990-12-10',
        termsVersion: '2026-11',
      },
      { headers: headersOf(device) },
    );
    expect(status).toBe(201);
    const { user, accessToken: token, deviceToken } = data;
    return { email, id: user.id, token, deviceToken };
  }

  async function login(email: string, password: string, device: Device): Promise<Answer> {
    return await anyone.post('auth/login', { email, password }, { headers: headersOf(device) });
  }

  const wrong = (email: string, device: Device) => login(email, 'not the password', device);
  const codeOf = ({ status, error }: Answer) => (status === 200 ? 'in' : error.code);

  async function later(seconds: number): Promise<void> {
    await system.moveTo(new Date(system.now().getTime() + seconds * 1000));
  }

  async function lockedFor(email: string, device: Device): Promise<number> {
    const answer = await login(email, PASSWORD, device);
    expect(codeOf(answer)).toBe('SIGN_IN_LOCKED');
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe(String(answer.error.details['retryAfter']));
    return Number(answer.error.details['retryAfter']);
  }

  it('comes with the third wrong password, and holds off the right one', async () => {
    const { email } = await register();
    const thief = stranger();
    const answers = [await wrong(email, thief), await wrong(email, thief), await wrong(email, thief)];
    expect(answers.map(codeOf)).toEqual(Array(3).fill('INVALID_CREDENTIALS'));
    const seconds = await lockedFor(email, thief);
    expect(seconds).toBeGreaterThan(25);
    expect(seconds).toBeLessThanOrEqual(30);
  });

  it('comes on a known device as well', async () => {
    const { email } = await register();
    for (let n = 0; n < 3; n += 1) expect(codeOf(await wrong(email, OWNER))).toBe('INVALID_CREDENTIALS');
    expect(await lockedFor(email, OWNER)).toBeLessThanOrEqual(30);
    await later(31);
    expect(codeOf(await login(email, PASSWORD, OWNER))).toBe('in');
  });

  it('doubles with each further wrong password, up to 15 minutes, and is forgotten with time', async () => {
    const { email } = await register();
    for (let n = 0; n < 2; n += 1) await wrong(email, stranger());
    const waits: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      expect(codeOf(await wrong(email, stranger()))).toBe('INVALID_CREDENTIALS');
      const seconds = await lockedFor(email, stranger());
      waits.push(Math.round(seconds / 30) * 30);
      await later(seconds);
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900, 900]);
    await later(5 * 3600); // five of eight are forgotten
    expect(codeOf(await wrong(email, stranger()))).toBe('INVALID_CREDENTIALS');
    expect(Math.round((await lockedFor(email, stranger())) / 30)).toBe(2);
    await later(24 * 3600);
    for (let n = 0; n < 2; n += 1) await wrong(email, stranger());
    expect(codeOf(await login(email, PASSWORD, stranger()))).toBe('in');
  });

  it('begins anew after the right password', async () => {
    const { email } = await register();
    const device = stranger();
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 2; n += 1) await wrong(email, device);
      expect(codeOf(await login(email, PASSWORD, device))).toBe('in');
    }
  });

  it('compares three of 200 passwords that are tried at once, wherever they come from', async () => {
    const { email } = await register();
    compared = 0;
    const answers = await Promise.all(Array.from({ length: 200 }, () => wrong(email, stranger())));
    expect(compared).toBe(3);
    expect(answers.filter((answer) => codeOf(answer) === 'INVALID_CREDENTIALS')).toHaveLength(3);
    expect(answers.filter((answer) => codeOf(answer) === 'SIGN_IN_LOCKED')).toHaveLength(197);
    await later(31);
    compared = 0;
    await Promise.all(Array.from({ length: 50 }, () => wrong(email, stranger())));
    expect(compared).toBe(1);
  });

  it('compares three of 100 from one who passes for a known device', async () => {
    const { email } = await register();
    compared = 0;
    await Promise.all(
      Array.from({ length: 100 }, () => wrong(email, { ...stranger(), fingerprint: 'owners-phone' })),
    );
    expect(compared).toBe(3);
  });

  it('lets forty who know the password in at the same time', async () => {
    const { email } = await register();
    const answers = await Promise.all(Array.from({ length: 40 }, () => login(email, PASSWORD, OWNER)));
    expect(answers.map(codeOf)).toEqual(Array(40).fill('in'));
  });

  it('by strangers never shuts out a device that signed in before, by its fingerprint or by its token', async () => {
    const { email, deviceToken } = await register();
    for (let n = 0; n < 10; n += 1) {
      await wrong(email, stranger());
      await later(1000);
    }
    await wrong(email, stranger());
    await lockedFor(email, stranger());
    const byFingerprint = { ...stranger(), fingerprint: 'owners-phone' };
    const byToken = { ...stranger(), token: deviceToken };
    expect(codeOf(await login(email, PASSWORD, byFingerprint))).toBe('in');
    expect(codeOf(await login(email, PASSWORD, byToken))).toBe('in');
    await lockedFor(email, stranger());
  });

  it('by a neighbour with the same program does not shut out a device that has its token', async () => {
    const { address, userAgent } = OWNER;
    const house = { address, userAgent: userAgent! };
    const { email, deviceToken } = await register(house);
    for (let n = 0; n < 3; n += 1) expect(codeOf(await wrong(email, house))).toBe('INVALID_CREDENTIALS');
    await lockedFor(email, house);
    expect(codeOf(await login(email, PASSWORD, { ...house, token: deviceToken }))).toBe('in');
  });

  it('by one who passes for the fingerprint leaves the same device in by its token', async () => {
    const { email, deviceToken } = await register();
    for (let n = 0; n < 4; n += 1) await wrong(email, { ...stranger(), fingerprint: 'owners-phone' });
    await lockedFor(email, OWNER);
    expect(codeOf(await login(email, PASSWORD, { ...OWNER, token: deviceToken }))).toBe('in');
  });

  it('lets a device keep its token for all who sign in on it, and takes none that it did not give', async () => {
    const one = await register(stranger());
    const made = 'A'.repeat(43);
    const forged = await login(one.email, PASSWORD, { ...stranger(), token: made });
    expect(forged.data.deviceToken).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect([made, one.deviceToken]).not.toContain(forged.data.deviceToken);
    const two = await register({ ...stranger(), token: one.deviceToken });
    expect(two.deviceToken).toBe(one.deviceToken);
    for (const { email } of [one, two]) {
      for (let n = 0; n < 3; n += 1) await wrong(email, stranger());
      await lockedFor(email, { ...stranger(), token: made });
      expect(codeOf(await login(email, PASSWORD, { ...stranger(), token: one.deviceToken }))).toBe('in');
    }
    const { rows } = await system.db.query('SELECT * FROM known_devices');
    expect(JSON.stringify(rows)).not.toContain(one.deviceToken);
  });

  it("knows another's device for nothing", async () => {
    const victim = await register();
    const thief = { ...stranger(), fingerprint: 'thiefs-phone' };
    await register(thief);
    for (let n = 0; n < 3; n += 1) await wrong(victim.email, stranger());
    expect(await lockedFor(victim.email, thief)).toBeGreaterThan(0);
  });

  it('answers for an email that nobody has as for one that somebody has', async () => {
    const { email } = await register();
    const nobody = `nobody-${randomUUID()}@example.com`;
    const told = async (name: string) => {
      const device = stranger();
      const answers: unknown[] = [];
      for (let n = 0; n < 5; n += 1) {
        const { status, body } = await wrong(n % 2 === 0 ? name : ` ${name.toUpperCase()}`, device);
        const { code, message, details } = body.error;
        answers.push([status, { code, message, details: Object.keys(details) }]);
      }
      return answers;
    };
    const known = await told(email);
    expect(await told(nobody)).toEqual(known);
    expect(known.at(-1)).toEqual([
      429,
      expect.objectContaining({ code: 'SIGN_IN_LOCKED', details: ['retryAfter'] }),
    ]);
  });

  it('comes over a network that tries many accounts, and not over its neighbours or a known device there', async () => {
    const attacker = { address: '192.0.2.99' };
    const { email } = await register({ address: attacker.address, fingerprint: 'same-house' });
    await later(3600);
    const emails = Array.from({ length: 55 }, () => `many-${randomUUID()}@example.com`);
    const answers = [];
    for (const one of emails) answers.push(codeOf(await wrong(one, attacker)));
    expect(answers.slice(0, 50)).toEqual(Array(50).fill('INVALID_CREDENTIALS'));
    expect(answers.slice(50)).toEqual(Array(5).fill('SIGN_IN_LOCKED'));
    expect(codeOf(await wrong(`x-${randomUUID()}@example.com`, { address: '192.0.2.98' }))).toBe(
      'INVALID_CREDENTIALS',
    );
    expect(codeOf(await login(email, PASSWORD, { ...attacker, fingerprint: 'same-house' }))).toBe('in');
  });

  it('comes over all addresses of one subscriber of IPv6', async () => {
    const from = (n: number) => ({ address: `2001:db8:1:2:${n.toString(16)}::1` });
    const answers = [];
    for (let n = 0; n < 52; n += 1)
      answers.push(codeOf(await wrong(`six-${randomUUID()}@example.com`, from(n))));
    expect(answers.slice(50)).toEqual(Array(2).fill('SIGN_IN_LOCKED'));
    const other = { address: '2001:db8:1:3::1' };
    expect(codeOf(await wrong(`six-${randomUUID()}@example.com`, other))).toBe('INVALID_CREDENTIALS');
  });

  it('holds for changing the password and for proving oneself again, together with signing in', async () => {
    const { email, token } = await register();
    const headers = headersOf(OWNER);
    const change = await anyone.post(
      'auth/password/change',
      { currentPassword: 'not the password', newPassword: 'another long enough one' },
      { token, headers },
    );
    const again = await anyone.post(
      'auth/reauthenticate',
      { password: 'not the password' },
      { token, headers },
    );
    expect([change, again].map(({ error }) => error.code)).not.toContain('SIGN_IN_LOCKED');
    await wrong(email, OWNER);
    expect(codeOf(await login(email, PASSWORD, OWNER))).toBe('SIGN_IN_LOCKED');
    const locked = await anyone.post('auth/reauthenticate', { password: PASSWORD }, { token, headers });
    expect(codeOf(locked)).toBe('SIGN_IN_LOCKED');
  });

  it('is in the audit log, and told to the owner once, without a word of who it is about', async () => {
    const { email, id } = await register();
    const nobody = `nobody-${randomUUID()}@example.com`;
    for (let n = 0; n < 5; n += 1) {
      await wrong(email, stranger());
      await wrong(nobody, stranger());
      await later(61);
    }
    const { rows: audit } = await system.db.query(
      `SELECT action, subject_type, subject_id, details FROM audit_log
       WHERE action = 'auth.locked-out' AND (subject_id = $1 OR subject_type = 'unknown-account') ORDER BY id DESC LIMIT 20`,
      [id],
    );
    const own = audit.filter(({ subject_id }) => subject_id === id);
    expect(own.map(({ details }) => details)).toEqual([
      { kind: 'password', known: false, seconds: 120 },
      { kind: 'password', known: false, seconds: 60 },
      { kind: 'password', known: false, seconds: 30 },
    ]);
    expect(JSON.stringify(audit)).not.toContain('@');
    expect(
      audit.some(
        ({ subject_type, subject_id }) =>
          subject_type === 'unknown-account' && /^[0-9a-f]{64}$/.test(subject_id),
      ),
    ).toBe(true);
    const { rows: events } = await system.db.query(
      "SELECT payload FROM outbox WHERE topic = 'auth.locked-out' AND payload->>'userId' = $1",
      [id],
    );
    expect(events).toEqual([{ payload: { userId: id } }]);
  });

  it('writes every sign-in into the audit log', async () => {
    const { email, id } = await register();
    await login(email, PASSWORD, OWNER);
    const { rows } = await system.db.query(
      "SELECT subject_type, details FROM audit_log WHERE actor_id = $1 AND action = 'auth.signed-in'",
      [id],
    );
    expect(rows).toEqual(
      Array.from({ length: 2 }, () => ({
        subject_type: 'session',
        details: { proof: 'password', secondFactor: false },
      })),
    );
  });
});
