import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PASSWORD } from '../support/builders.js';
import { CaptchaProvider } from '../support/captcha-provider.js';
import { type Answer, Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';

const SECRET = '0x0000000000000000000000000000000000000000';
const DOCUMENTED_FAULTS: [expected: string, what: string, codes: string[] | null, status: number][] = [
  ['CAPTCHA_FAILED', 'an invalid token', ['invalid-input-response'], 200],
  ['CAPTCHA_FAILED', 'an invalid token, told with 400', ['invalid-input-response'], 400],
  ['CAPTCHA_FAILED', 'an expired token', ['expired-input-response'], 200],
  ['CAPTCHA_FAILED', 'a token seen before', ['invalid-or-already-seen-response'], 200],
  ['CAPTCHA_FAILED', 'a token too old', ['timeout-or-duplicate'], 200],
  ['CAPTCHA_FAILED', "a token of another's page", ['sitekey-secret-mismatch'], 200],
  ['CAPTCHA_UNAVAILABLE', 'our secret', ['invalid-input-secret'], 200],
  [
    'CAPTCHA_UNAVAILABLE',
    'our secret and the token',
    ['invalid-input-secret', 'invalid-input-response'],
    200,
  ],
  ['CAPTCHA_UNAVAILABLE', 'our request', ['bad-request'], 400],
  ['CAPTCHA_UNAVAILABLE', 'themselves', ['internal-error'], 200],
  ['CAPTCHA_UNAVAILABLE', 'nothing', [], 200],
  ['CAPTCHA_UNAVAILABLE', 'nothing at all', null, 200],
];

describe.each([
  ['hcaptcha', 'already-seen-response'],
  ['turnstile', 'timeout-or-duplicate'],
] as const)('the CAPTCHA of %s', (name, duplicate) => {
  const provider = new CaptchaProvider(SECRET, duplicate);
  let system: System;
  let anyone: Client;
  let count = 0;

  beforeAll(async () => {
    system = await startSystem({
      worker: false,
      at: '2023-10-03T12:00:00Z',
      env: {
        CAPTCHA_PROVIDER: name,
        CAPTCHA_SECRET: SECRET,
        CAPTCHA_VERIFY_URL: `${(await provider.start()).url}/siteverify`,
        TRUSTED_PROXIES: 'loopback',
      },
    });
    anyone = new Client(system.url);
  });
  afterEach(() => {
    provider.mood = null;
  });
  afterAll(async () => {
    await system.stop();
    await provider.stop();
  });

  const codeOf = ({ status, error }: Answer) => (status < 300 ? 'ok' : error.code);
  const withToken = (token: string | null, address = '198.51.100.7') => ({
    headers: { 'X-Forwarded-For': address, ...(token === null ? {} : { 'X-Captcha-Token': token }) },
  });

  async function register(token: string | null): Promise<Answer> {
    count += 1;
    const body = {
      email: `solver${count}@example.com`,
      password: PASSWORD,
      handle: `solver_${count}`,
      birthDate: '1990-12-10',
      termsVersion: '2026-11',
    };
    return await anyone.post('auth/register', body, withToken(token));
  }

  const login = (email: string, password: string, token: string | null, address?: string) =>
    anyone.post('auth/login', { email, password }, withToken(token, address));

  it('is asked of who registers, and names its provider and nothing else', async () => {
    const answer = await register(null);
    expect([answer.status, answer.error.code, answer.error.details]).toEqual([
      403,
      'CAPTCHA_REQUIRED',
      { provider: name },
    ]);
    expect(
      (await system.db.query('SELECT FROM users WHERE email = $1', [`solver${count}@example.com`])).rowCount,
    ).toBe(0);
    expect(codeOf(await register(provider.solve()))).toBe('ok');
  });

  it('is verified with the secret, the token and the address', async () => {
    const token = provider.solve();
    await register(token);
    expect(provider.asked.at(-1)).toEqual({
      method: 'POST',
      contentType: expect.stringMatching(/^application\/x-www-form-urlencoded/),
      form: { secret: SECRET, response: token, remoteip: '198.51.100.7' },
    });
  });

  it('serves once, also for ten who send it at the same time', async () => {
    const token = provider.solve();
    const answers = await Promise.all(Array.from({ length: 10 }, () => register(token)));
    expect(answers.filter((answer) => codeOf(answer) === 'ok')).toHaveLength(1);
    const refused = answers.filter((answer) => codeOf(answer) === 'CAPTCHA_FAILED');
    expect(refused).toHaveLength(9);
    expect(refused[0]!.error.details).toEqual({ provider: name });
  });

  it('is asked of who wants a one-time code', async () => {
    const send = (token: string | null) =>
      anyone.post('auth/otp/send', { phone: '+12025550123' }, withToken(token));
    expect(codeOf(await send(null))).toBe('CAPTCHA_REQUIRED');
    expect(codeOf(await send('made up'))).toBe('CAPTCHA_REQUIRED');
    expect(codeOf(await send('made-up'))).toBe('CAPTCHA_FAILED');
    expect(codeOf(await send(provider.solve()))).toBe('ok');
  });

  it.each([
    ['without end', 'x'.repeat(8001)],
    ['with a space', 'with space'],
    ['with a tab', 'tab\there'],
  ])('takes no token %s', async (_, token) => {
    const before = provider.asked.length;
    expect(codeOf(await register(token))).toBe('CAPTCHA_REQUIRED');
    expect(provider.asked).toHaveLength(before);
  });

  it('is asked at signing in after wrong passwords, whether the account exists or not', async () => {
    await register(provider.solve());
    for (const email of [`solver${count}@example.com`, `nobody-${randomUUID()}@example.com`]) {
      const from = '203.0.113.9';
      for (let n = 0; n < 2; n += 1)
        expect(codeOf(await login(email, 'wrong password', null, from))).toBe('INVALID_CREDENTIALS');
      const asked = await login(email, PASSWORD, null, from);
      expect([asked.status, asked.error.code, asked.error.details]).toEqual([
        403,
        'CAPTCHA_REQUIRED',
        { provider: name },
      ]);
      expect(codeOf(await login(email, PASSWORD, 'made-up', from))).toBe('CAPTCHA_FAILED');
    }
    const email = `solver${count}@example.com`;
    expect(codeOf(await login(email, PASSWORD, provider.solve(), '203.0.113.9'))).toBe('ok');
    expect(codeOf(await login(email, PASSWORD, null, '203.0.113.9'))).toBe('ok');
  });

  it('solved opens no lock', async () => {
    const email = `nobody-${randomUUID()}@example.com`;
    for (let n = 0; n < 3; n += 1) await login(email, 'wrong password', provider.solve());
    expect(codeOf(await login(email, PASSWORD, provider.solve()))).toBe('SIGN_IN_LOCKED');
  });

  it.each(DOCUMENTED_FAULTS)('is %s when the provider blames %s', async (expected, _, codes, status) => {
    provider.mood = (response) => {
      response.statusCode = status;
      response.end(
        JSON.stringify(codes === null ? { success: false } : { success: false, 'error-codes': codes }),
      );
    };
    const answer = await register(provider.solve());
    expect(codeOf(answer)).toBe(expected);
    expect(answer.status).toBe(expected === 'CAPTCHA_FAILED' ? 403 : 503);
    expect(answer.headers.get('retry-after')).toBe(expected === 'CAPTCHA_FAILED' ? null : '10');
    expect(JSON.stringify(answer.body)).not.toContain(SECRET);
  });

  it.each([
    ['hangs up', (response: ServerResponse) => void response.destroy()],
    ['answers no JSON', (response: ServerResponse) => void response.end('<html>')],
    ['answers null', (response: ServerResponse) => void response.end('null')],
    ['answers success as text', (response: ServerResponse) => void response.end('{"success":"true"}')],
    [
      'answers without end',
      (response: ServerResponse) => void response.end(`{"success":true,"a":"${'x'.repeat(50_000)}"}`),
    ],
    [
      'sends elsewhere',
      (response: ServerResponse) => void response.writeHead(307, { Location: 'http://127.0.0.1:1/' }).end(),
    ],
  ])('lets nobody in when the provider %s', async (_, mood) => {
    provider.mood = mood;
    const answer = await register(provider.solve());
    expect([answer.status, codeOf(answer)]).toEqual([503, 'CAPTCHA_UNAVAILABLE']);
  });
});

describe('without a CAPTCHA', () => {
  it('nobody is asked, whatever they send', async () => {
    const system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    try {
      const answer = await new Client(system.url).post(
        'auth/register',
        {
          email: 'free@example.com',
          password: PASSWORD,
          handle: 'free',
          birthDate: '1990-12-10',
          termsVersion: '2026-11',
        },
        { headers: { 'X-Captcha-Token': 'anything' } },
      );
      expect(answer.status).toBe(201);
    } finally {
      await system.stop();
    }
  });
});
