import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { CheckoutOrder, PayoutOrder } from '../../src/modules/payments/provider.js';
import type { AppConfig } from '../../src/platform/config/app-config.js';
import { loadAppConfig } from '../../src/platform/config/load-config.js';
import { newId } from '../../src/platform/database/ids.js';
import { DomainError } from '../../src/platform/http/domain-error.js';
import type { LoopbackServer } from './loopback-server.js';

/** The environment with what a provider needs. */
export function configWith(env: Record<string, string>): AppConfig {
  return loadAppConfig({
    DATABASE_URL: 'postgres://127.0.0.1/none',
    REDIS_URL: 'redis://127.0.0.1',
    JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----',
    ...env,
  });
}

export function aCheckout(
  over: Partial<CheckoutOrder> & Pick<CheckoutOrder, 'payerPhone' | 'currency'>,
): CheckoutOrder {
  return {
    paymentId: newId(),
    purpose: 'deposit',
    description: 'Ada’s deposit — 1st',
    returnUrl: 'https://app.example.com/wallet',
    amount: 1250n,
    ...over,
  };
}

export function aPayout(
  over: Partial<PayoutOrder> & Pick<PayoutOrder, 'destination' | 'currency'>,
): PayoutOrder {
  return { payoutId: newId(), description: 'Withdrawal', amount: 1000n, ...over };
}

/** The code by which it was refused, and everything that the error would show in a log. */
export async function refusalOf(work: Promise<unknown>): Promise<{ code: string; shown: string }> {
  const error = await work.then(
    (value) => new Error(`it was not refused: ${inspect(value)}`),
    (cause: unknown) => cause,
  );
  const shown = inspect(error, { depth: 20, showHidden: true });
  return { code: error instanceof DomainError ? error.code : String(error), shown };
}

/** The state that it became, or the code by which it was refused. */
export async function becameOf(work: Promise<object>): Promise<object> {
  return await work.catch((error: unknown) => ({
    refused: error instanceof DomainError ? error.code : String(error),
  }));
}

/** Everything that is logged from now on, until `jest.restoreAllMocks()`. */
export function logged(): string[] {
  const lines: string[] = [];
  for (const level of ['log', 'warn', 'error', 'debug', 'verbose', 'fatal'] as const)
    jest
      .spyOn(Logger.prototype, level)
      .mockImplementation((...parts: unknown[]) => void lines.push(inspect(parts, { depth: 20 })));
  return lines;
}

/**
 * For a file of tests: operators' servers that run as long as it does and know nothing of the test before. Whatever a test does,
 * nobody's number is logged. Answers what is logged during a test.
 */
export function talksTo(
  servers: readonly (LoopbackServer & { reset: () => void })[],
  numbers: RegExp,
): () => string[] {
  let log: string[];
  beforeAll(async () => void (await Promise.all(servers.map(async (server) => server.start()))));
  afterAll(async () => void (await Promise.all(servers.map(async (server) => server.stop()))));
  beforeEach(() => {
    for (const server of servers) server.reset();
    log = logged();
  });
  afterEach(() => {
    jest.restoreAllMocks();
    expect(log.join('\n')).not.toMatch(numbers);
  });
  return () => log;
}
