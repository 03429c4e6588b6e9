import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BlindIndex } from '../../src/platform/security/blind-index.js';
import { QUEUES } from '../../src/platform/jobs/queues.js';
import { type Answer, Client } from '../support/client.js';
import { drained, Mailbox } from '../support/mailbox.js';
import { SignUps } from '../support/sign-ups.js';
import { startSystem, type System } from '../support/system.js';

/** Of config/auth.yml: answers to one address, and to one neighbourhood, before it has to wait. */
const [ALLOWED, ALLOWED_AROUND] = [20, 80];
const TRIED = 'Somebody tried to open an account';
const AT = '2023-10-03T12:00:00Z';
const DAY_MS = 86_400_000;

describe('whoever registers with an address that can have no other account', () => {
  const mailbox = new Mailbox();
  let system: System;
  let accounts: SignUps;
  let anyone: Client;
  let network = 0;

  beforeAll(async () => {
    await mailbox.open();
    system = await startSystem({ at: AT, env: { ...mailbox.env, TRUSTED_PROXIES: 'loopback' } });
    accounts = new SignUps(system, 'registration');
    anyone = new Client(system.url);
  });
  afterAll(async () => {
    await system.stop();
    await mailbox.close();
  });

  /** Of nobody before. */
  const elsewhere = () => `10.${(network += 1)}.0.1`;

  async function register(over: Record<string, unknown>, from = elsewhere()): Promise<Answer> {
    return await anyone.post('auth/register', accounts.body(over), { headers: { 'X-Forwarded-For': from } });
  }

  /** As erasing the account of who is banned leaves it. */
  async function bar(email: string, by: string): Promise<void> {
    await system.db.query(
      "INSERT INTO barred_identities (identity, user_id, reason, created_at) VALUES ($1, $2, 'ban', now())",
      [system.app.get(BlindIndex).of('email', email), by],
    );
  }

  const said = ({ status, error }: Answer) => [status, error?.code, error?.message, error?.details];
  const codes = (answers: Answer[]) => answers.map(({ status, error }) => error?.code ?? status);

  it('is not told whether it is taken or its owner was banned', async () => {
    const { email, client } = await accounts.open();
    await bar('barred@example.com', client.userId);
    const taken = await register({ email });
    expect(said(taken)).toEqual([409, 'EMAIL_TAKEN', expect.any(String), { field: 'email' }]);
    const barred = await register({ email: 'Barred@example.com' });
    expect(said(barred)).toEqual(said(taken));
    expect(barred.headers.get('set-cookie')).toEqual(taken.headers.get('set-cookie'));
    const { rows } = await system.db.query("SELECT 1 FROM users WHERE email ILIKE 'barred@example.com'");
    expect(rows).toEqual([]);
  });

  it('is counted by network: many at once are answered no more than many in turn', async () => {
    const { email, client } = await accounts.open();
    await bar('barred2@example.com', client.userId);
    const from = elsewhere();
    const answers = await Promise.all(
      Array.from({ length: 4 * ALLOWED }, (_, n) =>
        register({ email: n % 2 ? email : 'barred2@example.com' }, from),
      ),
    );
    expect(codes(answers).filter((code) => code === 'EMAIL_TAKEN')).toHaveLength(ALLOWED);
    expect(codes(answers).filter((code) => code === 'SIGN_IN_LOCKED')).toHaveLength(3 * ALLOWED);
    // A free address is no better off: the answer would tell that it is free.
    const locked = await register({}, from);
    expect([locked.status, locked.error.code]).toEqual([429, 'SIGN_IN_LOCKED']);
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0);
    // Nor does it lock anybody's signing in, nor whoever registers elsewhere.
    const signIn = await anyone.post(
      'auth/login',
      { email, password: 'a wrong password' },
      { headers: { 'X-Forwarded-For': from } },
    );
    expect(signIn.error.code).toBe('INVALID_CREDENTIALS');
    expect((await register({})).status).toBe(201);
    const { rows } = await system.db.query(
      "SELECT actor_id, subject_type FROM audit_log WHERE action = 'auth.registration-locked'",
    );
    expect(rows).toEqual([{ actor_id: null, subject_type: 'network' }]);
  });

  it('is counted by neighbourhood, too', async () => {
    const { email } = await accounts.open();
    const street = `10.${(network += 1)}.0`;
    for (let host = 1; host <= ALLOWED_AROUND / 10; host += 1) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => register({ email }, `${street}.${host}`)),
      );
      expect(new Set(codes(answers))).toEqual(new Set(['EMAIL_TAKEN']));
    }
    expect(codes([await register({}, `${street}.200`)])).toEqual(['SIGN_IN_LOCKED']);
    expect(codes([await register({})])).toEqual([201]);
  });

  it('is not counted for anything else that is refused, nor for accounts', async () => {
    const { handle } = await accounts.open();
    const from = elsewhere();
    const wrong = [
      { handle },
      { termsVersion: '2020-01' },
      { password: 'password1234' },
      { handle: 'admin' },
    ];
    for (let n = 0; n < ALLOWED + 2; n += 1)
      expect(codes([await register(wrong[n % wrong.length]!, from)])[0]).toMatch(
        /^(HANDLE_TAKEN|TERMS_VERSION_OUTDATED|PASSWORD_BREACHED|HANDLE_RESERVED)$/,
      );
    const answers = await Promise.all(Array.from({ length: ALLOWED + 2 }, () => register({}, from)));
    expect(new Set(codes(answers))).toEqual(new Set([201]));
  });

  it('is let in again when the lock is over', async () => {
    const { email } = await accounts.open();
    const from = elsewhere();
    for (let n = 0; n < ALLOWED; n += 1) await register({ email }, from);
    expect(codes([await register({ email }, from)])).toEqual(['SIGN_IN_LOCKED']);
    await system.moveTo(new Date(system.now().getTime() + 31_000));
    expect(codes([await register({}, from)])).toEqual([201]);
  });

  it("is told to the address's owner by mail, at most once a day", async () => {
    const { email } = await accounts.open();
    for (let n = 0; n < 3; n += 1) await register({ email: email.toUpperCase() });
    await mailbox.wait(email, TRIED);
    await Promise.all(Array.from({ length: 10 }, () => register({ email })));
    await drained(system, QUEUES.securityNotices);
    const [mail, ...more] = await mailbox.wait(email, TRIED);
    expect(more).toEqual([]);
    expect(mail!.text).toContain('at most once a day');
    expect(mail!.text).not.toContain('choose a new password at once');

    await system.moveTo(new Date(system.now().getTime() + DAY_MS));
    await register({ email });
    await mailbox.wait(email, TRIED, 2);
  });

  it('leaves nothing else of the attempt behind', async () => {
    const { email } = await accounts.open();
    const count = async () =>
      (
        await system.db.query(
          'SELECT (SELECT count(*) FROM users)::int AS users, (SELECT count(*) FROM credentials)::int AS ways, (SELECT count(*) FROM sessions)::int AS sessions',
        )
      ).rows;
    const before = await count();
    await register({ email });
    expect(await count()).toEqual(before);
  });
});
