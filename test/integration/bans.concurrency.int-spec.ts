import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders, PASSWORD } from '../support/builders.js';
import { Client } from '../support/client.js';
import { SignUps } from '../support/sign-ups.js';
import { someone } from '../support/staff.js';
import { eventually, startSystem, type System } from '../support/system.js';

const WEEK = 202340;

describe('a ban, while the banned are at it', () => {
  let system: System;
  let make: Builders;
  let admin: Client;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    admin = await someone(system, make, 'admin');
  });
  afterAll(async () => system.stop());

  const ban = async (userId: string) => {
    const answer = await admin.call('PATCH', `admin/users/${userId}`, {
      body: { status: 'banned', reason: 'fraud' },
    });
    expect(answer.status).toBe(200);
  };

  /** Twenty at once, each again and again, until one is refused. */
  async function untilRefused(act: () => Promise<boolean>): Promise<void> {
    const loops = Array.from({ length: 20 }, async () => {
      for (let n = 0; n < 40 && (await act()); n += 1);
    });
    await Promise.all(loops);
  }

  it('lets no bet of theirs in once it is committed, not even one in flight', async () => {
    await make.week(WEEK, { group: false });
    const [player] = await make.players(1, { pass: WEEK });
    await make.week(WEEK);
    const { moneyline } = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const body = { marketId: moneyline.id, outcome: 'home', stake: 1, oddsId: moneyline.odds['home'] };
    const count = async () => {
      const { rows } = await system.db.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM bets WHERE user_id = $1',
        [player!.userId],
      );
      return rows[0]!.n;
    };
    const refusals = new Set<string>();
    const betting = untilRefused(async () => {
      const answer = await player!.bet(body);
      if (answer.status !== 201) refusals.add(answer.error.code);
      return answer.status === 201;
    });
    await eventually(async () => (await count()) >= 5);
    await ban(player!.userId);
    const atBan = await count();
    await betting;
    expect(await count()).toBe(atBan);
    for (const code of refusals) expect(['ACCOUNT_BANNED', 'SESSION_ENDED']).toContain(code);
  });

  it('leaves no session that works, though they sign in all the time', async () => {
    const anyone = new Client(system.url);
    const { email, client } = await new SignUps(system, 'signing_in').open();
    const tokens: string[] = [client.token!];
    const signingIn = untilRefused(async () => {
      const answer = await anyone.post('auth/login', { email, password: PASSWORD });
      if (answer.status === 200) tokens.push(answer.data.accessToken);
      return answer.status === 200;
    });
    await eventually(async () => tokens.length >= 5);
    await ban(client.userId);
    await signingIn;
    for (const token of tokens) expect((await new Client(system.url, token).get('me')).status).toBe(401);
  });
});
