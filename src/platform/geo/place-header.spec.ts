import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { placeHeader } from '../../../edge/geo-worker/src/place-header.js';
import { canonicalAddress } from './address.js';
import { readPlaceHeader } from './place-header.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const SECRET = 'a secret of at least 32 characters';
const ADDRESS = '81.2.69.160';
const TERMS = { address: ADDRESS, now: NOW, secrets: [SECRET], toleranceSeconds: 60 };
const PLACE = { country: 'US', region: 'NY', anonymous: false };
const KNOWN =
  'v1;t=1795262400;c=US;r=NY;a=0;s=cfe142055bbb6465908248559fc2c3857cbb221f5e4d8493a81c1f0741f66427';

const letters = (least: number, most: number) => fc.stringMatching(new RegExp(`^[A-Z]{${least},${most}}$`));
const places = fc.record({
  country: fc.option(letters(2, 2)),
  region: fc.option(letters(1, 3)),
  anonymous: fc.boolean(),
});
const addresses = fc.oneof(fc.ipV4(), fc.ipV6());

describe("the edge's header", () => {
  it('is read as it was written, whatever the place, the address and its notation', async () => {
    await fc.assert(
      fc.asyncProperty(places, addresses, async (place, ip) => {
        const text = await placeHeader(place, ip, NOW, SECRET);
        const address = canonicalAddress(ip)!;
        expect(readPlaceHeader(text, { ...TERMS, address })).toEqual(place);
        expect(
          readPlaceHeader(await placeHeader(place, address, NOW, SECRET), { ...TERMS, address }),
        ).toEqual(place);
      }),
    );
  });

  it('is refused when any character of it is another, is missing, or is one more', async () => {
    const text = await placeHeader(PLACE, ADDRESS, NOW, SECRET);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 1),
        fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
        async (index, other) => {
          const [before, after] = [text.slice(0, index), text.slice(index + 1)];
          fc.pre(other !== text[index]);
          for (const changed of [
            `${before}${other}${after}`,
            `${before}${after}`,
            `${before}${other}${text.slice(index)}`,
          ])
            expect(readPlaceHeader(changed, TERMS)).toBe('forged');
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('holds for its own client only', async () => {
    const text = await placeHeader(PLACE, ADDRESS, NOW, SECRET);
    await fc.assert(
      fc.asyncProperty(addresses, async (ip) => {
        const address = canonicalAddress(ip)!;
        fc.pre(address !== ADDRESS);
        expect(readPlaceHeader(text, { ...TERMS, address })).toBe('forged');
      }),
    );
  });

  it('holds a minute, and from a minute before', async () => {
    const text = await placeHeader(PLACE, ADDRESS, NOW, SECRET);
    const later = (seconds: number) =>
      readPlaceHeader(text, { ...TERMS, now: new Date(NOW.getTime() + seconds * 1000) });
    expect([-60, 0, 60].map(later)).toEqual([PLACE, PLACE, PLACE]);
    expect([-61, 61, 86_400].map(later)).toEqual(['stale', 'stale', 'stale']);
  });

  it('may be signed by any of the secrets, and by no other', async () => {
    const secrets = ['another secret of 32 characters !', SECRET];
    expect(readPlaceHeader(await placeHeader(PLACE, ADDRESS, NOW, SECRET), { ...TERMS, secrets })).toEqual(
      PLACE,
    );
    const strange = await placeHeader(PLACE, ADDRESS, NOW, `${SECRET}!`);
    expect(readPlaceHeader(strange, { ...TERMS, secrets })).toBe('forged');
    expect(readPlaceHeader(strange, { ...TERMS, secrets: [] })).toBe('forged');
  });

  it('is what it was: another form would be refused by those who are not restarted yet', async () => {
    expect(await placeHeader(PLACE, ADDRESS, NOW, SECRET)).toBe(KNOWN);
  });

  it.each([
    '',
    'US',
    'v1',
    'v1;t=1795262400;c=US;r=NY;a=0',
    'v2;t=1795262400;c=US;r=NY;a=0;s=',
    `${KNOWN}, ${KNOWN}`,
  ])('is not %j', (text) => expect(readPlaceHeader(text, TERMS)).toBe('forged'));
});
