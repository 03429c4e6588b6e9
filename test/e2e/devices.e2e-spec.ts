import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { startSystem, type System } from '../support/system.js';

describe('devices for push', () => {
  let system: System;
  let make: Builders;

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
  });
  afterAll(async () => system.stop());

  const outcome = ({ status, error }: Answer) => [status, error?.code];
  const players = async (count: number) => (await make.players(count)) as [Client, ...Client[]];
  const register = (client: Client, token: string, more: object = {}) =>
    client.post('devices', { platform: 'android', token, ...more });
  const idsOf = async (client: Client) =>
    (await client.get('devices')).data.map(({ id }: { id: string }) => id);

  it('are registered, listed without their token, and forgotten', async () => {
    const [player] = await players(1);
    const { status, data } = await register(player, 'one', { appVersion: '1.0', locale: 'pt-BR' });
    expect(status).toBe(201);
    expect(data).toEqual({
      id: expect.any(String),
      platform: 'android',
      appVersion: '1.0',
      locale: 'pt-BR',
      registeredAt: expect.stringMatching(/^2023-10-03T12:/),
    });
    expect((await player.get('devices')).data).toEqual([data]);
    expect((await player.call('DELETE', `devices/${data.id}`)).status).toBe(200);
    expect(outcome(await player.call('DELETE', `devices/${data.id}`))).toEqual([404, 'DEVICE_NOT_FOUND']);
    expect((await player.get('devices')).data).toEqual([]);
  });

  it('registered again are the same device', async () => {
    const [player] = await players(1);
    const first = await register(player, 'again', { appVersion: '1.0' });
    const second = await register(player, 'again', { platform: 'ios', appVersion: '1.1' });
    expect(second.data).toMatchObject({ id: first.data.id, platform: 'ios', appVersion: '1.1' });
    expect(await idsOf(player)).toEqual([first.data.id]);
  });

  it('belong to whoever registered their token last', async () => {
    const [one, two] = (await players(2)) as [Client, Client];
    const mine = await register(one, 'shared');
    const theirs = await register(two, 'shared');
    expect(theirs.data.id).not.toBe(mine.data.id);
    expect([await idsOf(one), await idsOf(two)]).toEqual([[], [theirs.data.id]]);
    expect(outcome(await one.call('DELETE', `devices/${theirs.data.id}`))).toEqual([404, 'DEVICE_NOT_FOUND']);
    expect(await idsOf(two)).toEqual([theirs.data.id]);
  });

  it('are twenty at most, however many are registered at once: the newest', async () => {
    const [player] = await players(1);
    for (let n = 0; n < 20; n += 1) await register(player, `first ${n}`);
    const early = await idsOf(player);
    const more = await Promise.all(Array.from({ length: 30 }, (_, n) => register(player, `later ${n}`)));
    const now = await idsOf(player);
    expect(now).toHaveLength(20);
    expect(now.filter((id: string) => early.includes(id))).toEqual([]);
    expect(more.map(({ status }) => status)).toEqual(Array(30).fill(201));
  });

  it('whose token passes between many at once belong to one of them', async () => {
    const clients = await players(8);
    await Promise.all(Array.from({ length: 40 }, (_, n) => register(clients[n % 8]!, `token ${n % 5}`)));
    const { rows } = await system.db.query(
      "SELECT token FROM devices WHERE token LIKE 'token %' ORDER BY token",
    );
    expect(rows.map(({ token }) => token)).toEqual(['token 0', 'token 1', 'token 2', 'token 3', 'token 4']);
  });

  it('end with the session that registered them', async () => {
    const body = {
      email: 'devices@example.com',
      password: 'correct horse battery 7',
      handle: 'devices_owner',
      birthDate: '1990-12-10',
      termsVersion: '2026-11',
    };
    const anyone = new Client(system.url);
    const phone = await anyone.post('auth/register', body);
    const tablet = await anyone.post('auth/login', { email: body.email, password: body.password });
    const on = (answer: Answer) => new Client(system.url, answer.data.accessToken, answer.data.user.id);
    await register(on(phone), 'of the phone');
    const kept = await register(on(tablet), 'of the tablet');
    await on(phone).post('auth/logout');
    expect(await idsOf(on(tablet))).toEqual([kept.data.id]);
    await on(tablet).post('auth/logout-all');
    const { rows } = await system.db.query('SELECT FROM devices WHERE user_id = $1', [phone.data.user.id]);
    expect(rows).toEqual([]);
  });

  it('are refused with what is no device', async () => {
    const [player] = await players(1);
    for (const body of [
      { platform: 'fridge', token: 'x' },
      { platform: 'ios' },
      { platform: 'ios', token: '' },
      { platform: 'ios', token: 'x'.repeat(4097) },
      { platform: 'ios', token: 'x', locale: 'not a locale' },
      { platform: 'ios', token: 'x', userId: randomUUID() },
    ])
      expect(outcome(await player.post('devices', body))).toEqual([400, 'VALIDATION_FAILED']);
    const long = await register(player, '😀'.repeat(2048));
    expect(long.status).toBe(201);
  });
});
