import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HandlesHousekeeping } from '../../src/modules/users/profiles/handles.housekeeping.js';
import { Builders, PASSWORD } from '../support/builders.js';
import { Client, type Answer } from '../support/client.js';
import { fingerprint } from '../support/fingerprint.js';
import { people, type Person } from '../support/people.js';
import { inBatches } from '../support/refusals.js';
import { startSystemWithRules } from '../support/rules-folder.js';
import type { System } from '../support/system.js';

const NAUGHTY = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/bad-input/blns.json'), 'utf8'),
) as string[];
/** A heart of two code points, a family of seven, right to left, letters that combine. */
const FAMILY = '👨‍👩‍👧‍👦';

describe('profiles', () => {
  let system: System;
  let make: Builders;
  let ada: Person;
  let bob: Person;

  beforeAll(async () => {
    system = await startSystemWithRules({}, { worker: false, at: '2023-10-03T12:00:00Z' });
    make = new Builders(system);
    [ada, bob] = (await people(system, make, 2)) as [Person, Person];
  });
  afterAll(async () => system.stop());

  const change = ({ client }: Person, body: unknown): Promise<Answer> =>
    client.call('PATCH', 'users/me', { body });
  const seen = (answer: Answer) => [answer.status, answer.error?.code];

  it('tell their owner all, and others what is meant for them', async () => {
    const profile = {
      displayName: 'Ada Lovelace',
      bio: 'Numbers first.\nUnderdogs second.',
      avatarUrl: 'https://cdn.example.com/a/ada.png?v=2',
      country: 'CM',
      favouriteSports: ['soccer', 'american_football'],
    };
    const changed = await change(ada, profile);
    expect(changed.status).toBe(200);
    expect(changed.data).toEqual({
      ...profile,
      id: ada.id,
      handle: ada.handle,
      email: `${ada.handle}@example.com`,
      emailVerified: false,
      role: 'user',
      followersCount: 0,
      followingCount: 0,
      createdAt: expect.stringMatching(/^2023-10-03T12:/),
      closingAt: null,
      handleChangeableAt: null,
    });
    expect((await ada.client.get('users/me')).data).toEqual(changed.data);
    expect((await bob.client.get(`users/${ada.handle.toUpperCase()}`)).data).toEqual({
      ...profile,
      id: ada.id,
      handle: ada.handle,
      followersCount: 0,
      followingCount: 0,
      createdAt: changed.data.createdAt,
      relationship: { following: false, followedBy: false, muted: false, contact: 'none', contactId: null },
    });
  });

  it('keep what a change does not name, and lose what it names null', async () => {
    const { data: before } = await ada.client.get('users/me');
    for (const none of [{}, null, undefined])
      expect(seen(await change(ada, none))).toEqual([400, 'VALIDATION_FAILED']);
    expect((await ada.client.get('users/me')).data).toEqual(before);
    expect((await change(ada, { bio: null, country: null })).data).toEqual({
      ...before,
      bio: null,
      country: null,
    });
    expect((await change(ada, { favouriteSports: [], avatarUrl: null })).data).toMatchObject({
      favouriteSports: [],
      avatarUrl: null,
      displayName: before.displayName,
    });
  });

  it.each([
    { role: 'admin' },
    { status: 'active' },
    { emailVerified: true },
    { emailVerifiedAt: '2023-01-01T00:00:00Z' },
    { email: 'other@example.com' },
    { id: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e' },
    { followersCount: 1_000_000 },
    { followers: 1_000_000 },
    { closingAt: null },
    { handleChangedAt: null },
    { birthDate: '1980-01-01' },
    { bannedUntil: null },
    { termsVersion: 'x' },
    { permissions: ['users.ban'] },
    { user_id: '01932c07-8f2a-7b3e-9d51-2f6f0a1c4d5e' },
    { '__proto__.role': 'admin' },
  ])('take no change of %j', async (field) => {
    const before = await fingerprint(system);
    expect(seen(await change(ada, { bio: 'x', ...field }))).toEqual([400, 'VALIDATION_FAILED']);
    expect(await fingerprint(system)).toEqual(before);
  });

  it.each([
    ['displayName', ''],
    ['displayName', 'x'.repeat(61)],
    ['displayName', null],
    ['displayName', '❤️'.repeat(31)], // 62 code points
    ['displayName', FAMILY.repeat(9)],
    ['bio', ''],
    ['bio', 'x'.repeat(501)],
    ['bio', '😀'.repeat(501)],
    ['bio', 'a\0b'],
    ['bio', '\ud800'],
    ['bio', 7],
    ['handle', 'ab'],
    ['handle', 'x'.repeat(21)],
    ['handle', 'with space'],
    ['handle', 'аdа_cyr'],
    ['handle', null],
    ['country', 'cm'],
    ['country', 'XX'],
    ['country', 'CMR'],
    ['country', ''],
    ['avatarUrl', 'http://cdn.example.com/a.png'],
    ['avatarUrl', 'javascript:alert(1)'],
    ['avatarUrl', '//cdn.example.com/a.png'],
    ['avatarUrl', 'https://user:secret@example.com/a.png'],
    ['avatarUrl', 'https:/\\evil.example.com/a.png'],
    ['avatarUrl', 'https://exa\nmple.com/a.png'],
    ['avatarUrl', 'https://'],
    ['avatarUrl', 'https://localhost/a.png'],
    ['avatarUrl', `https://example.com/${'x'.repeat(500)}`],
    ['avatarUrl', 'data:image/png;base64,AAAA'],
    ['favouriteSports', 'soccer'],
    ['favouriteSports', ['soccer', 'soccer']],
    ['favouriteSports', [1]],
    ['favouriteSports', null],
    ['favouriteSports', { 0: 'soccer' }],
    ['favouriteSports', Array.from({ length: 21 }, (_, index) => `sport${index}`)],
  ])('take no %s of %j', async (field, value) => {
    const { data: before } = await ada.client.get('users/me');
    expect(seen(await change(ada, { [field]: value }))).toEqual([400, 'VALIDATION_FAILED']);
    expect((await ada.client.get('users/me')).data).toEqual(before);
  });

  it('know the sports there are, and refuse others by name', async () => {
    const refused = await change(ada, { favouriteSports: ['soccer', 'quidditch', 'constructor'] });
    expect(seen(refused)).toEqual([422, 'SPORT_UNKNOWN']);
    expect(refused.error.details).toEqual({
      field: 'favouriteSports',
      unknown: ['quidditch', 'constructor'],
      known: ['american_football', 'soccer', 'basketball', 'ice_hockey', 'baseball'],
    });
  });

  it('count code points: what fits comes back, whatever it is made of', async () => {
    for (const displayName of [
      '😀'.repeat(60),
      '❤️'.repeat(30),
      'שלום עולם',
      'e\u0301'.repeat(30),
      FAMILY.repeat(8),
    ]) {
      expect((await change(ada, { displayName })).data?.displayName).toBe(displayName);
      expect((await bob.client.get(`users/${ada.handle}`)).data.displayName).toBe(displayName);
    }
    const bio = '𝔘'.repeat(500);
    expect((await change(ada, { bio })).data?.bio).toBe(bio);
  });

  async function assertSeen(writer: Person, body: object): Promise<void> {
    expect((await bob.client.get(`users/${writer.handle}`)).data).toMatchObject(body);
  }

  it('give back the naughty strings byte for byte', async () => {
    const writers = await people(system, make, 8);
    const fits = (text: string, max: number) =>
      text !== '' && !text.includes('\0') && Array.from(text).length <= max;
    const strings = NAUGHTY.filter((text) => fits(text, 500) && text.isWellFormed()).values();
    let told = 0;
    await Promise.all(
      writers.map(async (writer) => {
        for (const text of strings) {
          const body = fits(text, 60) ? { displayName: text, bio: text } : { bio: text };
          const { status, data } = await change(writer, body); // as it is read again from the database
          expect([status, data]).toMatchObject([200, body]);
          if ((told += 1) % 8 === 0) await assertSeen(writer, body);
        }
      }),
    );
    expect(told).toBeGreaterThan(450);
  }, 120_000);

  it('of nobody, of the banned, the closing and the erased are not found, and are answered alike', async () => {
    const [banned, closing, erased] = await people(system, make, 3);
    await system.db.query("UPDATE users SET status = 'banned' WHERE id = $1", [banned!.id]);
    await system.db.query("UPDATE users SET closing_at = now() + interval '30 days' WHERE id = $1", [
      closing!.id,
    ]);
    await system.db.query("UPDATE users SET status = 'erased' WHERE id = $1", [erased!.id]);
    const answers = await Promise.all(
      ['nobody_at_all', banned!.handle, closing!.handle, erased!.handle].map((handle) =>
        bob.client.get(`users/${handle}`),
      ),
    );
    expect(answers.map(seen)).toEqual(Array.from({ length: 4 }, () => [404, 'USER_NOT_FOUND']));
    expect(new Set(answers.map(({ error }) => error.message)).size).toBe(1);
  });

  describe('by another handle', () => {
    it('are found by the new one, and nobody else gets the old one for 30 days', async () => {
      const [mover, other] = (await people(system, make, 2)) as [Person, Person];
      const moved = await change(mover, { handle: 'Wanderer' });
      expect([moved.status, moved.data.handle]).toEqual([200, 'Wanderer']);
      expect(moved.data.handleChangeableAt).toMatch(/^2023-11-02T12:/);
      expect((await bob.client.get('users/wanderer')).data.id).toBe(mover.id);
      expect(seen(await bob.client.get(`users/${mover.handle}`))).toEqual([404, 'USER_NOT_FOUND']);

      expect(seen(await change(other, { handle: mover.handle.toUpperCase() }))).toEqual([
        409,
        'HANDLE_TAKEN',
      ]);
      const account = {
        email: 'squatter@example.com',
        password: PASSWORD,
        handle: mover.handle,
        birthDate: '1990-12-10',
        termsVersion: '2026-11',
      };
      const anyone = new Client(system.url);
      expect(seen(await anyone.post('auth/register', account))).toEqual([409, 'HANDLE_TAKEN']);

      const again = await change(mover, { handle: mover.handle });
      expect([...seen(again), again.error.details]).toEqual([
        409,
        'HANDLE_CHANGED_RECENTLY',
        { changeableAt: moved.data.handleChangeableAt, field: 'handle' },
      ]);
      expect((await change(mover, { handle: 'wanDERer' })).data.handle).toBe('wanDERer'); // no other handle
      expect((await change(mover, { handle: 'wanDERer' })).status).toBe(200);

      await system.moveTo('2023-11-02T12:30:00Z');
      expect((await change(other, { handle: mover.handle })).data.handle).toBe(mover.handle);
      expect((await change(mover, { handle: 'settled' })).data.handle).toBe('settled');

      const reserved = async () =>
        (
          await system.db.query("SELECT handle FROM handle_reservations WHERE handle IN ('wanderer', $1)", [
            mover.handle,
          ])
        ).rows;
      await system.db.query(
        "UPDATE handle_reservations SET until = until - interval '31 days' WHERE handle <> 'wanderer'",
      );
      const [forget] = system.app.get(HandlesHousekeeping).forgets;
      await forget!(100);
      expect(await reserved()).toEqual([{ handle: 'wanderer' }]);
    });

    it('may not have one that is taken or kept for the operator', async () => {
      expect(seen(await change(ada, { handle: bob.handle }))).toEqual([409, 'HANDLE_TAKEN']);
      expect(seen(await change(ada, { handle: 'Ad_Min' }))).toEqual([422, 'HANDLE_RESERVED']);
      expect((await ada.client.get('users/me')).data).toMatchObject({
        handle: ada.handle,
        handleChangeableAt: null,
      });
    });
  });

  describe('are searched', () => {
    let finder: Person;
    const find = async (q: string, by = finder): Promise<string[]> => {
      const { status, data } = await by.client.get(`users?q=${encodeURIComponent(q)}&limit=100`);
      expect(status).toBe(200);
      return data.map(({ handle }: { handle: string }) => handle);
    };

    beforeAll(async () => {
      const found = await people(system, make, 9);
      finder = found.at(-1)!;
      const named: [handle: string, displayName: string, bio: string | null][] = [
        ['grace', 'Grace Hopper', null],
        ['grace_h', 'Another', null],
        ['xena', 'Gracefield Smith', null],
        ['zora', 'Zora Grace', 'compilers'],
        ['yves', 'José Ångström', 'Amazing grace of the underdogs'],
        ['olga77', 'Ольга Иванова', null],
        ['quentin', "O'Brien \\ & | ! <-> :*", null],
        ['ramanujan', 'Srinivasa', 'partitions'],
      ];
      for (const [index, [handle, displayName, bio]] of named.entries()) {
        const { status } = await change(found[index]!, { handle, displayName, bio });
        expect(status).toBe(200);
      }
    });

    it('with the handle itself first, then what begins so, then names like it, then words', async () => {
      expect(await find('grace')).toEqual(['grace', 'grace_h', 'xena', 'zora', 'yves']);
      expect(await find('@GRACE')).toEqual(['grace', 'grace_h', 'xena', 'zora', 'yves']);
    });

    it('without regard to case, accents and order of words, and by a part of each', async () => {
      expect(await find('angstrom jose')).toEqual(['yves']);
      expect(await find('JOSÉ')).toEqual(['yves']);
      expect((await find('hop gra'))[0]).toBe('grace');
      expect(await find('ОЛЬГА')).toEqual(['olga77']);
      expect((await find('ｇｒａｃｅ ｈｏｐｐｅｒ'))[0]).toBe('grace');
    });

    it('with errors of spelling', async () => {
      expect(await find('ramanujam')).toEqual(['ramanujan']);
      expect(await find('hoper')).toContain('grace');
    });

    it('by words of the bio', async () => {
      expect(await find('underdogs')).toEqual(['yves']);
      expect(await find('partition')).toEqual(['ramanujan']);
    });

    it('and no longer found by what has changed', async () => {
      const [person] = await people(system, make, 1);
      await change(person!, { displayName: 'Ephemera', bio: 'fleeting' });
      expect([await find('ephemera'), await find('fleeting')]).toEqual([[person!.handle], [person!.handle]]);
      await change(person!, { displayName: 'Plain', bio: null });
      expect([await find('ephemera'), await find('fleeting')]).toEqual([[], []]);
    });

    it('without those who block or are blocked, are banned or closing', async () => {
      const found = await people(system, make, 4);
      for (const { client } of found)
        await client.call('PATCH', 'users/me', { body: { displayName: 'Hidden Dragon' } });
      const [blocks, blocked, banned, closing] = found as [Person, Person, Person, Person];
      expect(await find('hidden dragon')).toHaveLength(4);
      await blocks.client.post(`users/${finder.id}/block`);
      await finder.client.post(`users/${blocked.id}/block`);
      await system.db.query("UPDATE users SET status = 'banned' WHERE id = $1", [banned.id]);
      await system.db.query("UPDATE users SET closing_at = now() + interval '30 days' WHERE id = $1", [
        closing.id,
      ]);
      expect(await find('hidden dragon')).toEqual([]);
      expect((await find('hidden dragon', ada)).toSorted()).toEqual(
        [blocks.handle, blocked.handle].toSorted(),
      );
    });

    it('page by page, each once', async () => {
      const many = await people(system, make, 25);
      for (const { client } of many)
        await client.call('PATCH', 'users/me', { body: { displayName: 'Legion' } });
      const pages = await Promise.all(
        [1, 2, 3, 4].map((page) => ada.client.get(`users?q=legion&limit=10&page=${page}`)),
      );
      expect(pages.map(({ data }) => data.length)).toEqual([10, 10, 5, 0]);
      expect(pages.map(({ body }) => body.meta.pagination.total)).toEqual([25, 25, 25, 25]);
      expect(new Set(pages.flatMap(({ data }) => data.map(({ id }: { id: string }) => id))).size).toBe(25);
    });

    it('by any text without an error, and by nothing that is not text', async () => {
      const texts = [
        ...NAUGHTY,
        "' | !",
        ':*',
        "''",
        '\\',
        '%',
        '_',
        '<->',
        '( & )',
        '\u0301\u0301',
        'a\\',
      ].map((text) => Array.from(text).slice(0, 60).join('').toWellFormed());
      await inBatches(texts, async (text) => {
        const { status, error } = await ada.client.get(`users?q=${encodeURIComponent(text)}`);
        expect(['200', '400 VALIDATION_FAILED']).toContain(
          [status, ...(error ? [error.code] : [])].join(' '),
        );
      });
      for (const query of [
        '',
        '?q=',
        '?q=a',
        '?q=a&q=b',
        '?q[]=ab',
        `?q=${'x'.repeat(61)}`,
        '?q=ab%00',
        '?q=ada&page=0',
      ])
        expect(seen(await ada.client.get(`users${query}`))).toEqual([400, 'VALIDATION_FAILED']);
    });
  });
});
