import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { loadAppConfig } from '../config/load-config.js';
import { LogSmsSender } from './log-sms.sender.js';

const SMS = { to: '+12015550123', text: '492039 is your code.', validSeconds: 600 };

describe('the sender that only logs', () => {
  afterEach(() => void jest.restoreAllMocks());

  async function loggedIn(environment: 'development' | 'production'): Promise<string> {
    const logged: unknown[] = [];
    for (const level of ['log', 'warn', 'error'] as const)
      jest.spyOn(Logger.prototype, level).mockImplementation((message: unknown) => void logged.push(message));
    const config = loadAppConfig({
      DATABASE_URL: 'postgres://127.0.0.1/none',
      REDIS_URL: 'redis://127.0.0.1',
      JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----',
    });
    await new LogSmsSender(Object.assign(config, { NODE_ENV: environment })).send(SMS);
    return logged.join('\n');
  }

  it('shows a developer the message', async () => {
    expect(await loggedIn('development')).toBe('to +12015550123: 492039 is your code.');
  });

  it('tells in production that nothing was sent, and neither the code nor the number', async () => {
    const logged = await loggedIn('production');
    expect(logged).toContain('A message was not sent');
    expect(logged).not.toMatch(/492039|2015550123/);
  });
});
