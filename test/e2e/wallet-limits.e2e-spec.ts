import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import { startSystem, type System } from '../support/system.js';

describe('statements of a wallet', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ worker: false, env: { RATE_LIMIT_FACTOR: '1' } });
  });
  afterAll(async () => system.stop());

  it('are written ten times an hour for a user; what is refused for its form does not count', async () => {
    const [ada, bob] = await new Builders(system).players(2);
    const write = async (client = ada!, query = '') => client.get(`wallet/transactions.csv${query}`);
    for (let n = 0; n < 3; n += 1) expect((await write(ada, '?currency=x')).status).toBe(400);
    for (let n = 0; n < 10; n += 1) expect((await write()).status).toBe(200);
    const { status, error, headers } = await write();
    expect([status, error.code, error.details['limit']]).toEqual([429, 'RATE_LIMITED', 10]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(3000);
    expect((await write(bob)).status).toBe(200);
    expect((await ada!.get('wallet/transactions')).status).toBe(200);
  });
});
