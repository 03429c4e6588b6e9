import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Builders } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { holding, lockWaits } from '../support/crash.js';
import { eventually, startSystem, type System } from '../support/system.js';
import { Texts } from '../support/texts.js';

const PHONE = '+12015550142';
/** In which Postgres tells of a deadlock: its own `deadlock_timeout`, and how often a backend reports. */
const DEADLOCK_TOLD_MS = 2500;

describe('the locks of a telephone number', () => {
  let system: System;
  let texts: Texts;
  let anyone: Client;

  beforeAll(async () => {
    system = await startSystem({ at: '2023-10-03T12:00:00Z' });
    texts = new Texts(system);
    anyone = new Client(system.url);
  });
  afterAll(async () => system.stop());

  async function proofBy(ask: (body: object) => Promise<Answer>) {
    const before = texts.sent.length;
    const { data } = await ask({ phone: PHONE });
    const code = (await texts.codes(PHONE, before + 1)).at(-1)!;
    return { phone: PHONE, challengeId: data.challengeId, code };
  }

  const waiting = (count: number) => eventually(async () => (await lockWaits(system)) === count);

  it('are taken in one order by who signs in by it and who adds it again', async () => {
    const [client] = await new Builders(system).players(1);
    const add = async (body: object) => client!.post('auth/phone', body);
    expect((await client!.post('auth/phone/verify', await proofBy(add))).status).toBe(200);
    const [again, signIn] = [
      await proofBy(add),
      await proofBy(async (body) => anyone.post('auth/otp/send', body)),
    ];

    const release = await holding(system, 'SELECT FROM users WHERE id = $1 FOR UPDATE', [client!.userId]);
    const added = client!.post('auth/phone/verify', again);
    await waiting(1);
    const signedIn = anyone.post('auth/otp/verify', signIn);
    await waiting(2);
    await release();
    expect([(await added).status, (await signedIn).status]).toEqual([200, 200]);
    await sleep(DEADLOCK_TOLD_MS);
    const { rows } = await system.db.query(
      'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(rows).toEqual([{ deadlocks: 0 }]);
  });
});
