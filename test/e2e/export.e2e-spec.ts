import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Builders } from '../support/builders.js';
import { type Answer, Client } from '../support/client.js';
import { unzip } from '../support/exports.js';
import { leaveAlone, proveAgain } from '../support/proofs.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import { eventually, type System } from '../support/system.js';

const WEEK = 202340;
const HOUR = 3_600_000;

describe('an export of one’s own data', () => {
  let system: System;
  let make: Builders;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { at: '2023-10-01T12:00:00Z' });
    make = new Builders(system);
  });
  afterAll(async () => system.stop());

  const outcome = ({ status, error }: Answer) => [status, error?.code];
  const later = (hours: number) => new Date(system.now().getTime() + hours * HOUR);

  async function ready(client: Client): Promise<Answer['data']> {
    return await eventually(async () => {
      const { data } = await client.get('users/me/export');
      return data.status === 'ready' ? data : null;
    });
  }

  async function download(url: string): Promise<Response> {
    return await fetch(`${system.url}${url}`);
  }

  async function filesOf(client: Client): Promise<Record<string, Answer['data']>> {
    const { downloadUrl } = await ready(client);
    return await unzip(Buffer.from(await (await download(downloadUrl)).arrayBuffer()));
  }

  it('holds every section, as JSON, and says what it holds', async () => {
    await make.week(WEEK, { group: false });
    const [player, other] = (await make.players(2, { pass: WEEK })) as [Client, Client];
    await system.moveTo('2023-10-03T12:00:00Z');
    await make.week(WEEK);
    const game = await make.game({ startsAt: '2023-10-08T17:00:00Z' });
    const { id: marketId, odds } = game.moneyline;
    const bet = { marketId, outcome: 'home', stake: 50, oddsId: odds['home'] };
    const placed = await player.bet(bet, 'my-own-key');
    await other.bet(bet, 'another-key');
    await player.post('devices', { platform: 'ios', token: 'push-token', locale: 'en-US' });

    expect(outcome(await player.post('users/me/export'))).toEqual([403, 'PROOF_TOO_OLD']);
    await proveAgain(system, player);
    const asked = await player.post('users/me/export');
    expect(asked.status).toBe(202);
    expect(asked.data).toMatchObject({ status: 'queued', readyAt: null, expiresAt: null, downloadUrl: null });
    const done = await ready(player);
    expect(done).toMatchObject({ id: asked.data.id, status: 'ready', readyAt: expect.any(String) });
    expect(Date.parse(done.expiresAt) - Date.parse(done.readyAt)).toBe(24 * HOUR);

    const answer = await download(done.downloadUrl);
    expect(answer.headers.get('content-type')).toBe('application/zip');
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="parley-${done.id}.zip"`);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    const zip = Buffer.from(await answer.arrayBuffer());
    expect([zip.length, Number(answer.headers.get('content-length'))]).toEqual(
      Array(2).fill(done.progress.bytes),
    );

    const { 'export.json': contents, ...files } = await unzip(zip);
    expect(contents.exportedAt).toMatch(/^2023-10-03T12:/);
    expect(contents.contents).toEqual(
      Object.entries(files).map(([name, rows]) => ({ file: name.replace('.json', ''), rows: rows.length })),
    );
    expect(done.progress).toEqual({
      sectionsDone: Object.keys(files).length,
      sectionsTotal: Object.keys(files).length,
      bytes: zip.length,
    });
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining([
        'account.json',
        'audit-log.json',
        'bets.json',
        'devices.json',
        'exports.json',
        'idempotency-keys.json',
        'linked-accounts.json',
        'phone.json',
        'pools.json',
        'profile.json',
        'restrictions.json',
        'sessions.json',
        'week-passes.json',
      ]),
    );
    expect(files['account.json']).toEqual([
      expect.objectContaining({ id: player.userId, birthDate: '1990-01-01', role: 'user', closingAt: null }),
    ]);
    expect(files['bets.json']).toEqual([
      expect.objectContaining({
        id: placed.data.betId,
        weekId: WEEK,
        stake: 50,
        status: 'placed',
        payout: null,
      }),
    ]);
    expect(files['pools.json']).toEqual([
      expect.objectContaining({ weekId: WEEK, balance: 950, betsOpen: 1 }),
    ]);
    expect(files['devices.json']).toEqual([
      expect.objectContaining({ platform: 'ios', token: 'push-token', appVersion: null, locale: 'en-US' }),
    ]);
    expect(files['idempotency-keys.json']).toEqual([
      expect.objectContaining({ operation: 'bets.place', key: 'my-own-key' }),
    ]);
    expect(zip.includes(other.userId)).toBe(false);
    expect(JSON.stringify(files)).not.toContain(other.userId);
    expect(JSON.stringify(files)).not.toMatch(/hash|secret/i);
  });

  it('brings every string back byte for byte', async () => {
    const naughty = (
      JSON.parse(readFileSync('test/fixtures/bad-input/blns.json', 'utf8')) as string[]
    ).filter((text) => text !== '' && !text.includes('\0') && text.isWellFormed() && text.length <= 255);
    const [player] = (await make.players(1)) as [Client];
    await system.db.query(
      `INSERT INTO idempotency_keys (user_id, operation, key, body_hash, status, response)
       SELECT $1, 'op' || n, text, '\\x00', 200, to_jsonb(text) FROM unnest($2::text[]) WITH ORDINALITY AS t (text, n)`,
      [player.userId, naughty],
    );
    const files = await filesOf(player);
    const rows = files['idempotency-keys.json'] as { operation: string; key: string; response: unknown }[];
    const found = new Map(rows.map((row) => [row.operation, row]));
    for (const [index, text] of naughty.entries())
      expect(found.get(`op${index + 1}`)).toMatchObject({ key: text, response: text });
    expect(naughty.length).toBeGreaterThan(300);
  });

  it('holds 20,000 bets, each once', async () => {
    const [player] = (await make.players(1)) as [Client];
    const other = (await make.players(1))[0]!;
    await system.db.query(
      `INSERT INTO bets (id, week_id, pool_id, user_id, game_id, market_id, odds_id, outcome, american, price_num, price_den,
                         stake, potential_payout, placed_at)
       SELECT 1000000 + n, $2, gen_random_uuid(), CASE WHEN n % 20 = 0 THEN $3::uuid ELSE $1::uuid END, gen_random_uuid(),
              gen_random_uuid(), gen_random_uuid(), 'home', -110, 21, 11, n, n * 21 / 11, now()
       FROM generate_series(1, 21052) n`,
      [player.userId, WEEK, other.userId],
    );
    const { bets } = { bets: (await filesOf(player))['bets.json'] as { id: string; stake: number }[] };
    const expected = Array.from({ length: 21_052 }, (_, index) => index + 1).filter((n) => n % 20 !== 0);
    expect(expected).toHaveLength(20_000);
    expect(bets.map(({ id, stake }) => [id, stake])).toEqual(expected.map((n) => [String(1_000_000 + n), n]));
    const { rows } = await system.db.query(
      'SELECT count(*)::int AS chunks, max(octet_length(data)) AS largest FROM data_export_chunks c JOIN data_exports e ON e.id = c.export_id WHERE e.user_id = $1',
      [player.userId],
    );
    expect(rows[0].chunks).toBeGreaterThan(2);
    expect(rows[0].largest).toBeLessThan(256 * 1024 + 100);
  });

  it('is one however many ask at once, and one a day', async () => {
    const [player] = (await make.players(1)) as [Client];
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        n % 2 ? player.post('users/me/export') : player.get('users/me/export'),
      ),
    );
    const ids = new Set(asked.filter(({ data }) => data).map(({ data }) => data.id));
    expect(ids.size).toBe(1);
    await ready(player);
    const again = await player.post('users/me/export');
    expect(outcome(again)).toEqual([429, 'EXPORT_TOO_SOON']);
    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(86_000);
  });

  it('is downloaded by its link alone, until it expires and is forgotten', async () => {
    const [player, thief] = (await make.players(2)) as [Client, Client];
    await player.get('users/me/export');
    const { downloadUrl } = await ready(player);
    const links = [downloadUrl];
    for (let n = 0; n < 5; n += 1) links.push((await player.get('users/me/export')).data.downloadUrl);
    expect(new Set(links).size).toBe(6);
    const statuses = await Promise.all(links.map(async (link) => (await download(link)).status));
    expect(statuses).toEqual([404, 200, 200, 200, 200, 200]);

    await thief.get('users/me/export');
    const theirs = await ready(thief);
    const wrong = [
      downloadUrl.replace(/token=.*/, `token=${'A'.repeat(43)}`),
      links[5].replace(/export\/[^/]+/, `export/${theirs.id}`),
      theirs.downloadUrl.replace(/export\/[^/]+/, `export/${links[5].split('/')[6]}`),
    ];
    for (const url of wrong) expect((await download(url)).status).toBe(404);
    expect((await download(downloadUrl.replace(/\?.*/, ''))).status).toBe(400);
    const { rows } = await system.db.query('SELECT token_hash FROM data_export_links');
    const token = new URL(links[5], system.url).searchParams.get('token')!;
    expect(rows.some(({ token_hash }) => token_hash.toString('utf8').includes(token))).toBe(false);

    await system.moveTo(later(0.24));
    expect((await download(links[5])).status).toBe(200);
    await system.moveTo(later(0.02));
    expect((await download(links[5])).status).toBe(404);
    await proveAgain(system, player);
    const { data } = await player.get('users/me/export');
    expect((await download(data.downloadUrl)).status).toBe(200);
    await system.db.query('UPDATE data_export_links SET created_at = $1', [later(24)]);
    await system.moveTo(later(24));
    expect((await download(data.downloadUrl)).status).toBe(404);
  });

  it('is out of reach by links of sessions that have ended, however they did', async () => {
    const admin = await make.admin();
    const ends: [string, (client: Client) => Promise<Answer>][] = [
      ['logout', (client) => client.post('auth/logout')],
      ['logout of all', (client) => client.post('auth/logout-all')],
      [
        'ban',
        ({ userId }) =>
          admin.call('PATCH', `admin/users/${userId}`, { body: { status: 'banned', reason: 'fraud' } }),
      ],
    ];
    for (const [how, end] of ends) {
      const [player, other] = (await make.players(2)) as [Client, Client];
      await Promise.all([player.get('users/me/export'), other.get('users/me/export')]);
      const [{ downloadUrl }, { downloadUrl: others }] = await Promise.all([ready(player), ready(other)]);
      expect([how, (await download(downloadUrl)).status]).toEqual([how, 200]);
      expect([how, (await end(player)).status]).toEqual([how, 200]);
      expect([how, (await download(downloadUrl)).status]).toEqual([how, 404]);
      expect([how, (await download(others)).status]).toEqual([how, 200]);
    }
  });

  it('tells an idle session how far it is, and is neither begun nor linked to by one', async () => {
    const [player] = (await make.players(1)) as [Client];
    const idle = async () => leaveAlone(system, player, 401 * 86_400);
    const look = async () => outcome(await player.get('users/me/export'));
    await idle();
    expect(outcome(await player.post('users/me/export'))).toEqual([403, 'REAUTHENTICATION_REQUIRED']);
    expect(await look()).toEqual([403, 'REAUTHENTICATION_REQUIRED']);
    const held = async () => {
      const { rows } = await system.db.query(
        `SELECT (SELECT count(*)::int FROM data_exports WHERE user_id = $1) AS exports,
                (SELECT count(*)::int FROM data_export_links l JOIN data_exports e ON e.id = l.export_id
                 WHERE e.user_id = $1) AS links`,
        [player.userId],
      );
      return rows[0];
    };
    expect(await held()).toEqual({ exports: 0, links: 0 });
    await system.db.query(
      'INSERT INTO data_exports (id, user_id, requested_at, touched_at) VALUES (gen_random_uuid(), $1, $2, $2)',
      [player.userId, system.now()],
    );
    const { status, data } = await player.get('users/me/export');
    expect([status, data.status, data.downloadUrl]).toEqual([200, 'queued', null]);
    await system.db.query(
      "UPDATE data_exports SET status = 'ready', ready_at = $2, expires_at = $3 WHERE user_id = $1",
      [player.userId, system.now(), later(24)],
    );
    expect(await look()).toEqual([403, 'REAUTHENTICATION_REQUIRED']);
    expect(await held()).toEqual({ exports: 1, links: 0 });
    await proveAgain(system, player);
    expect(await look()).toEqual([200, undefined]);
    expect(await held()).toEqual({ exports: 1, links: 1 });
    await system.moveTo(later(0.2));
    expect(await look()).toEqual([403, 'PROOF_TOO_OLD']);
  });

  it('is encrypted where it is stored', async () => {
    const [player] = (await make.players(1)) as [Client];
    await player.get('users/me/export');
    await ready(player);
    const { rows } = await system.db.query(
      'SELECT c.data FROM data_export_chunks c JOIN data_exports e ON e.id = c.export_id WHERE e.user_id = $1',
      [player.userId],
    );
    const stored = Buffer.concat(rows.map(({ data }) => data));
    expect(stored.includes('PK\x03\x04')).toBe(false);
    expect(stored.includes('account.json')).toBe(false);
  });

  it('asked for after the last has expired is a new one', async () => {
    const [player] = (await make.players(1)) as [Client];
    const first = await player.get('users/me/export');
    await ready(player);
    await system.moveTo(later(25));
    await proveAgain(system, player);
    const second = await player.get('users/me/export');
    expect([second.status, second.data.status, second.data.id === first.data.id]).toEqual([
      200,
      'queued',
      false,
    ]);
  });
});
