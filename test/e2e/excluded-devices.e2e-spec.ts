import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import { Client } from '../support/client.js';
import { OAuthSystem } from '../support/oauth-system.js';
import { SignUps } from '../support/sign-ups.js';
import { someone } from '../support/staff.js';
import { startSystem, type System } from '../support/system.js';
import { Texts } from '../support/texts.js';

const BIRTH = { birthDate: '1990-12-10', termsVersion: '2026-11' };
const MARKER = {
  marker: 'excludedDevice',
  value: 1,
  threshold: 1,
  weight: 4,
  days: 1,
  figures: { accounts: 1, sinceDays: 0 },
};

const on = (device: string) => ({ headers: { 'X-Device-Fingerprint': device } });

async function excludeOn(make: Builders, device: string): Promise<Client> {
  const [client] = (await make.players(1)) as [Client];
  expect((await client.post('compliance/self-exclusion', { months: 6 }, on(device))).status).toBe(201);
  return client;
}

/** The markers of each open flag of a user, as the compliance team sees them. */
async function shown(compliance: Client, userId: string): Promise<unknown[]> {
  const { status, data } = await compliance.get(`admin/harm-flags?userId=${userId}`);
  expect(status).toBe(200);
  return data.map(({ markers }: { markers: unknown[] }) => markers);
}

describe('an account opened where somebody excluded themselves', () => {
  let system: System;
  let make: Builders;
  let compliance: Client;
  let anyone: Client;

  beforeAll(async () => {
    system = await startSystem();
    make = new Builders(system);
    compliance = await someone(system, make, 'compliance');
    anyone = new Client(system.url);
    await excludeOn(make, 'the-households');
  });
  afterAll(async () => system.stop());

  it('by email is shown to the compliance team, and goes on as any other', async () => {
    const accounts = new SignUps(system, 'household');
    const { data } = await anyone.post('auth/register', accounts.body(), on('the-households'));
    expect(await shown(compliance, data.user.id)).toEqual([[MARKER]]);
    const elsewhere = await anyone.post('auth/register', accounts.body(), on('another'));
    expect(await shown(compliance, elsewhere.data.user.id)).toEqual([]);
    const client = new Client(system.url, data.accessToken, data.user.id);
    expect((await client.get('compliance/status')).data.mayStake).toBe(true);
    expect((await client.get(`admin/harm-flags?userId=${data.user.id}`)).status).toBe(403);
  });

  it('by telephone is shown, once: signing in again shows nothing more', async () => {
    const texts = new Texts(system);
    const phone = '+12015550177';
    const enter = async (messages: number, account?: object) => {
      const { data } = await anyone.post('auth/otp/send', { phone });
      const code = (await texts.codes(phone, messages)).at(-1);
      const body = { phone, challengeId: data.challengeId, code, ...(account && { account }) };
      const answer = await anyone.post('auth/otp/verify', body, on('the-households'));
      expect(answer.status).toBe(200);
      return answer.data.user.id as string;
    };
    const id = await enter(1, { handle: 'household_call', ...BIRTH });
    expect(await enter(2)).toBe(id);
    expect(await shown(compliance, id)).toEqual([[MARKER]]);
  });

  it('is no concern of who excludes themselves: a proof of a key that does not hold keeps nobody from it', async () => {
    const [client] = (await make.players(1)) as [Client];
    const headers = { 'X-Device-Fingerprint': 'theirs', DPoP: 'nonsense' };
    const { status } = await client.post('compliance/self-exclusion', {}, { headers });
    expect(status).toBe(201);
  });
});

describe('an account opened by a provider where somebody excluded themselves', () => {
  let oauth: OAuthSystem;
  let make: Builders;
  let compliance: Client;

  beforeAll(async () => {
    oauth = await OAuthSystem.start();
    make = new Builders(oauth.system);
    compliance = await someone(oauth.system, make, 'compliance');
  });
  afterAll(async () => oauth.stop());

  it.each(['google', 'apple'] as const)('is shown to the compliance team: %s', async (provider) => {
    const device = `${provider}-households`;
    await excludeOn(make, device);
    const enter = async (fingerprint: string) => {
      const body = { ...(await oauth.native(provider, oauth.person())), account: oauth.account() };
      const { status, data } = await oauth.anyone.post(`auth/oauth/${provider}/token`, body, on(fingerprint));
      expect(status).toBe(200);
      return data.user.id as string;
    };
    expect(await shown(compliance, await enter(device))).toEqual([[MARKER]]);
    expect(await shown(compliance, await enter('another'))).toEqual([]);
  });
});
