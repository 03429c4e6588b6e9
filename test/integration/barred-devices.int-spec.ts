import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { BarredDevicesService } from '../../src/modules/compliance/barred-devices.service.js';
import { MarkersService } from '../../src/modules/compliance/markers/markers.service.js';
import { ErasureService } from '../../src/modules/users/privacy/erasure.service.js';
import { Database } from '../../src/platform/database/database.js';
import type { JsonRow } from '../../src/platform/database/snapshot.js';
import { PersonalDataService } from '../../src/platform/privacy/personal-data.service.js';
import { BlindIndex } from '../../src/platform/security/blind-index.js';
import { Builders, PASSWORD } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { SignUps } from '../support/sign-ups.js';
import { someone } from '../support/staff.js';
import type { System } from '../support/system.js';

const DAY_MS = 86_400_000;
const START = '2023-10-10T09:00:00Z';
const WEEK = 202341;

describe('a device on which somebody excluded themselves', () => {
  let system: System;
  let make: Builders;
  let accounts: SignUps;
  let compliance: Client;
  let devices: BarredDevicesService;
  let count = 0;

  beforeAll(async () => {
    const rules = parse(readFileSync('config/compliance.yml', 'utf8')) as { markers: object };
    const markers = {
      ...rules.markers,
      score: 3,
      chasingLosses: { weight: 3, days: 7, threshold: 2, least: 0 },
      excludedDevice: { weight: 5 },
    };
    system = await startSystemWithRules({ compliance: { ...rules, markers } }, { worker: false, at: START });
    make = new Builders(system);
    accounts = new SignUps(system, 'device');
    compliance = await someone(system, make, 'compliance');
    devices = system.app.get(BarredDevicesService);
    await system.db.query('SELECT bets_open_week($1)', [WEEK]);
  });
  afterAll(async () => system.stop());

  const newDevice = () => `print-${(count += 1)}`;
  const on = (device: string | null) =>
    device === null ? {} : { headers: { 'X-Device-Fingerprint': device } };
  const exclude = async (client: Client, device: string | null, body: object = { months: 6 }) =>
    (await client.post('compliance/self-exclusion', body, on(device))).data.until as string | null;
  const player = async () => (await make.players(1))[0]!;
  const excluded = async (device: string, body?: object) => {
    const client = await player();
    await exclude(client, device, body);
    return client;
  };
  const register = async (device: string | null, over: Record<string, unknown> = {}): Promise<Answer> =>
    await new Client(system.url).post('auth/register', accounts.body(over), on(device));
  const opened = async (device: string | null): Promise<Client> => {
    const { status, data } = await register(device);
    expect(status).toBe(201);
    return new Client(system.url, data.accessToken, data.user.id);
  };
  const hashOf = (device: string) => system.app.get(BlindIndex).of('device', device);
  const noted = async ({ userId }: { userId: string }) =>
    (
      await system.db.query<{ device: Buffer; ends_at: Date | null; created_at: Date }>(
        'SELECT device, ends_at, created_at FROM barred_devices WHERE user_id = $1 ORDER BY created_at, device',
        [userId],
      )
    ).rows;
  const endsOf = async (client: Client) =>
    Object.fromEntries(
      (await noted(client)).map(({ device, ends_at: end }) => [
        device.toString('hex'),
        end?.toISOString() ?? null,
      ]),
    );
  const flagsOf = async ({ userId }: { userId: string }) =>
    (
      await system.db.query(
        'SELECT score, markers, first_day::text, day::text, decided_at FROM harm_flags WHERE user_id = $1 ORDER BY id',
        [userId],
      )
    ).rows;
  const later = async (days: number) => system.moveTo(new Date(system.now().getTime() + days * DAY_MS));
  const today = () => system.now().toISOString().slice(0, 10);
  const marker = (accountsOnIt: number, sinceDays = 0) => ({
    marker: 'excludedDevice',
    value: accountsOnIt,
    threshold: 1,
    weight: 5,
    days: 1,
    figures: { accounts: accountsOnIt, sinceDays },
  });

  /** Two stakes that chase a loss of that morning: a score of 3. */
  async function chase({ userId }: Client, day: string): Promise<void> {
    for (const [hour, stake, lost] of [
      ['01', 10, `${day}T02:00:00Z`],
      ['03', 50, null],
      ['04', 50, null],
    ] as const)
      await system.db.query(
        `INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, price_num, price_den, stake,
                           potential_payout, status, payout, settlement_id, placed_at, settled_at)
         VALUES (nextval('bet_id_seq'), $2, gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'home',
                 2, 1, $3::bigint, $3::bigint * 2, CASE WHEN $5::timestamptz IS NULL THEN 'placed' ELSE 'lost' END,
                 CASE WHEN $5::timestamptz IS NOT NULL THEN 0 END,
                 CASE WHEN $5::timestamptz IS NOT NULL THEN gen_random_uuid() END, $4, $5)`,
        [userId, WEEK, stake, `${day}T${hour}:00:00Z`, lost],
      );
  }

  async function exported({ userId }: Client): Promise<{ all: string; flags: JsonRow[] }> {
    const files: Record<string, JsonRow[]> = {};
    await system.app.get(Database).readSnapshot(async (snapshot) => {
      for (const { file, rows } of system.app.get(PersonalDataService).sections(snapshot, userId))
        for await (const row of rows) (files[file] ??= []).push(row);
    });
    return { all: JSON.stringify(files), flags: files['harm-flags'] ?? [] };
  }

  it('is noted by a keyed hash until the exclusion is over; nothing without a fingerprint, and of no time-out', async () => {
    const device = newDevice();
    const client = await player();
    await client.post('compliance/time-out', { days: 3 }, on(device));
    for (const malformed of [null, 'x'.repeat(129), 'two words']) {
      await exclude(await player(), malformed);
      expect((await system.db.query('SELECT FROM barred_devices')).rowCount).toBe(0);
    }
    const until = await exclude(client, device);
    expect(await noted(client)).toEqual([
      { device: hashOf(device), ends_at: new Date(until!), created_at: expect.any(Date) },
    ]);
    const { rows } = await system.db.query('SELECT b::text AS row FROM barred_devices b');
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(device).toString('hex'));
  });

  it('is noted as long as the longest exclusion lasts, and so is every other of the same user', async () => {
    const [first, second, third] = [newDevice(), newDevice(), newDevice()];
    const [a, b, c] = [first, second, third].map((device) => hashOf(device).toString('hex')) as [
      string,
      string,
      string,
    ];
    const client = await player();
    const short = await exclude(client, first);
    expect(await endsOf(client)).toEqual({ [a]: short });
    const long = await exclude(client, second, { months: 12 });
    expect(await endsOf(client)).toEqual({ [a]: long, [b]: long });
    await exclude(client, third); // shorter: the one that stands is answered
    expect(await endsOf(client)).toEqual({ [a]: long, [b]: long, [c]: long });
    await exclude(client, null, { permanent: true });
    expect(await endsOf(client)).toEqual({ [a]: null, [b]: null, [c]: null });
    await exclude(client, first);
    expect(await endsOf(client)).toEqual({ [a]: null, [b]: null, [c]: null });
  });

  it('is noted once by 50 at once, and no more than 20 are of one user', async () => {
    const [same, many] = (await make.players(2)) as [Client, Client];
    const device = newDevice();
    await Promise.all(Array.from({ length: 50 }, async () => await exclude(same, device)));
    expect(await noted(same)).toHaveLength(1);
    await Promise.all(Array.from({ length: 50 }, async () => await exclude(many, newDevice())));
    expect(await noted(many)).toHaveLength(20);
    const until = await exclude(many, newDevice(), { months: 24 });
    expect(new Set(Object.values(await endsOf(many)))).toEqual(new Set([until]));
  });

  it('shows who opens an account on it to the compliance team, by ids alone, and nothing else happens', async () => {
    const device = newDevice();
    const first = await excluded(device, { permanent: true });
    await later(3);
    const second = await excluded(device);
    const client = await opened(device);
    expect(await flagsOf(client)).toEqual([
      { score: 5, markers: [marker(2, 3)], first_day: today(), day: today(), decided_at: null },
    ]);
    const { data } = await compliance.get(`admin/harm-flags?userId=${client.userId}&marker=excludedDevice`);
    expect(data).toEqual([
      expect.objectContaining({ userId: client.userId, score: 5, markers: [marker(2, 3)] }),
    ]);
    const { rows } = await system.db.query(
      "SELECT actor_id, subject_id, details FROM audit_log WHERE action = 'compliance.excluded-device' AND subject_id = $1",
      [client.userId],
    );
    expect(rows).toEqual([
      { actor_id: null, subject_id: client.userId, details: { flagId: data[0].id, accounts: 2 } },
    ]);
    const told = JSON.stringify([data, rows]);
    for (const { userId } of [first, second]) expect(told).not.toContain(userId);
    expect((await client.get('compliance/status')).data).toMatchObject({ refusal: null, mayStake: true });
    expect(await noted(client)).toEqual([]);
  });

  it('is another than others: accounts on those, or on one that is not told, are not shown', async () => {
    const device = newDevice();
    await excluded(device);
    for (const other of [newDevice(), null, device.toUpperCase(), 'two words'])
      expect(await flagsOf(await opened(other))).toEqual([]);
  });

  it('shows nobody who signs in again, nor an account that is not opened after all', async () => {
    const device = newDevice();
    const { email, handle, client } = await accounts.open();
    await exclude(client, device);
    const again = await new Client(system.url).post('auth/login', { email, password: PASSWORD }, on(device));
    expect(again.status).toBe(200);
    expect(await flagsOf(client)).toEqual([]);
    const flags = async () => (await system.db.query('SELECT count(*)::int AS n FROM harm_flags')).rows[0].n;
    const before = await flags();
    for (const over of [{ handle }, { email }]) expect((await register(device, over)).status).toBe(409);
    expect(await flags()).toBe(before);
  });

  it('shows 50 who open accounts on it at once, each once', async () => {
    const device = newDevice();
    await excluded(device);
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await register(device)));
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    const ids = answers.map(({ data }) => data.user.id as string);
    const { rows } = await system.db.query(
      `SELECT count(*)::int AS flags, count(DISTINCT user_id)::int AS people, count(DISTINCT markers)::int AS findings
       FROM harm_flags WHERE user_id = ANY ($1)`,
      [ids],
    );
    expect(rows).toEqual([{ flags: 50, people: 50, findings: 1 }]);
    const { rows: told } = await system.db.query(
      `SELECT count(*)::int AS entries, count(DISTINCT subject_id)::int AS people FROM audit_log
       WHERE action = 'compliance.excluded-device' AND subject_id = ANY ($1)`,
      [ids],
    );
    expect(told).toEqual([{ entries: 50, people: 50 }]);
  });

  it('stays in what is shown when a night adds what was done, on that day and on later ones', async () => {
    const markers = system.app.get(MarkersService);
    const device = newDevice();
    await excluded(device);
    const client = await opened(device);
    const day = today();
    const night = { ...marker(1), marker: 'chasingLosses' };
    await markers.runDay(day); // nothing was done: nothing changes
    expect(await flagsOf(client)).toEqual([
      { score: 5, markers: [marker(1)], first_day: day, day, decided_at: null },
    ]);
    await system.db.query('DELETE FROM harm_runs');
    await chase(client, day);
    for (let times = 0; times < 2; times += 1) await markers.runDay(day);
    const both = [expect.objectContaining({ marker: night.marker, value: 2, weight: 3 }), marker(1)];
    expect(await flagsOf(client)).toEqual([
      { score: 8, markers: both, first_day: day, day, decided_at: null },
    ]);
    await later(1);
    await chase(client, today());
    await markers.runDay(today());
    const more = [expect.objectContaining({ marker: night.marker, value: 4, weight: 3 }), marker(1)];
    expect(await flagsOf(client)).toEqual([
      { score: 8, markers: more, first_day: day, day: today(), decided_at: null },
    ]);
  });

  it('keeps nobody’s play from being shown once people have decided about the device', async () => {
    const markers = system.app.get(MarkersService);
    const device = newDevice();
    await excluded(device);
    const client = await opened(device);
    const decide = async () => {
      const { data } = await compliance.get(`admin/harm-flags?userId=${client.userId}`);
      const body = { decision: 'dismissed', note: 'their sister' };
      expect((await compliance.post(`admin/harm-flags/${data[0].id}/decide`, body)).status).toBe(200);
    };
    await decide();
    await later(1);
    await chase(client, today());
    await markers.runDay(today());
    const [, open] = await flagsOf(client);
    expect(open).toMatchObject({ score: 3, markers: [{ marker: 'chasingLosses' }], decided_at: null });
    await decide();
    await later(1);
    await chase(client, today());
    await markers.runDay(today());
    expect(await flagsOf(client)).toHaveLength(2); // about the play they have: it is quiet
  });

  it('is nothing that an export tells of, to whoever uses it', async () => {
    const markers = system.app.get(MarkersService);
    const device = newDevice();
    const first = await excluded(device);
    const client = await opened(device);
    expect((await exported(client)).flags).toEqual([]);
    expect((await exported(first)).all).not.toContain(hashOf(device).toString('hex'));
    await later(1);
    await chase(client, today());
    await markers.runDay(today());
    const [flag] = (await compliance.get(`admin/harm-flags?userId=${client.userId}`)).data;
    const body = { decision: 'dismissed', note: 'their sister' };
    expect((await compliance.post(`admin/harm-flags/${flag.id}/decide`, body)).status).toBe(200);
    const { all, flags } = await exported(client);
    expect(flags).toEqual([
      expect.objectContaining({
        score: 3,
        markers: [expect.objectContaining({ marker: 'chasingLosses' })],
        decisionNote: null,
      }),
    ]);
    expect(all).not.toMatch(/excludedDevice|sister/);
  });

  it('is known after the account was erased, until the term is over; then it is forgotten', async () => {
    const [device, forever] = [newDevice(), newDevice()];
    const kept = await excluded(forever, { permanent: true });
    const { client } = await accounts.open();
    const until = await exclude(client, device);
    expect((await client.call('DELETE', 'users/me', { body: { password: PASSWORD } })).status).toBe(200);
    await later(31);
    await system.app.get(ErasureService).eraseIfDue(client.userId);
    const { rows } = await system.db.query('SELECT status FROM users WHERE id = $1', [client.userId]);
    expect(rows).toEqual([{ status: 'erased' }]);
    expect(await endsOf(client)).toEqual({ [hashOf(device).toString('hex')]: until });
    expect((await flagsOf(await opened(device)))[0]?.markers).toEqual([marker(1, 31)]);

    const [forget] = devices.forgets;
    const ended = async () =>
      (await system.db.query('SELECT FROM barred_devices WHERE ends_at <= $1', [system.now()])).rowCount!;
    expect([await ended(), await forget!(100)]).toEqual([0, 0]);
    await system.moveTo(until!);
    expect(await flagsOf(await opened(device))).toEqual([]);
    const due = await ended();
    expect(due).toBeGreaterThan(1);
    expect(await forget!(1)).toBe(1);
    expect(await forget!(1000)).toBe(due - 1);
    expect([await noted(client), (await noted(kept)).length]).toEqual([[], 1]);
  });

  it('begins anew with an exclusion that comes after one that is over', async () => {
    const device = newDevice();
    const client = await player();
    const until = await exclude(client, device);
    await system.moveTo(until!);
    await later(1);
    const other = newDevice();
    await exclude(client, other);
    // What had ended is not lengthened by an exclusion on another device.
    expect((await endsOf(client))[hashOf(device).toString('hex')]).toBe(until);
    const renewed = await exclude(client, device, { months: 7 });
    expect(new Set(Object.values(await endsOf(client)))).toEqual(new Set([renewed]));
    await later(2);
    expect((await flagsOf(await opened(device)))[0]?.markers).toEqual([marker(1, 2)]);
  });
});
