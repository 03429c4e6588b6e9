import { describe, expect, it } from '@jest/globals';
import { hidesItself, placeOfRecord, requireSane } from './place-record.js';

const at = (country: string | null, region: string | null = null, anonymous = false) => ({
  country,
  region,
  anonymous,
});

describe('a record of a database', () => {
  it.each([
    ['of MaxMind', { country: { iso_code: 'US' }, subdivisions: [{ iso_code: 'WA' }] }, at('US', 'WA')],
    [
      'with the smaller region behind the larger',
      { country: { iso_code: 'GB' }, subdivisions: [{ iso_code: 'ENG' }, { iso_code: 'WBK' }] },
      at('GB', 'ENG'),
    ],
    ['of ip-location-db', { country_code: 'AU' }, at('AU')],
    ['with the name of a state', { country_code: 'US', state1: 'District of Columbia' }, at('US', 'DC')],
    ['with accents in it', { country_code: 'CA', state1: 'Québec' }, at('CA', 'QC')],
    ['with a name that nobody knows', { country_code: 'US', state1: 'Jefferson' }, at('US')],
    ['with a name of another country', { country_code: 'GB', state1: 'Washington' }, at('GB')],
    ['of where it is registered only', { registered_country: { iso_code: 'GB' } }, at(null)],
    ['of an army abroad', { represented_country: { iso_code: 'US' }, country: { iso_code: 'DE' } }, at('DE')],
    ['of a continent', { country_code: 'EU' }, at(null)],
    ['of nobody', { country_code: 'ZZ', state1: 'Nevada' }, at(null)],
    ['in small letters', { country_code: 'us' }, at(null)],
    ['with another form', { country: 'US', subdivisions: 'NV' }, at(null)],
    ['of a proxy', { country_code: 'US', traits: { is_anonymous_proxy: true } }, at('US', null, true)],
    ['that is none', null, at(null)],
  ])('%s', (_, record, place) => expect(placeOfRecord(record)).toEqual(place));

  it.each([
    'is_anonymous',
    'is_anonymous_vpn',
    'is_hosting_provider',
    'is_public_proxy',
    'is_residential_proxy',
    'is_tor_exit_node',
  ])('hides its users by %s alone', (flag) => {
    expect(hidesItself({ [flag]: true })).toBe(true);
    expect([{ [flag]: false }, { [flag]: 1 }, {}, null, 'x'].map(hidesItself)).not.toContain(true);
  });

  it('with coordinates that are nowhere is broken', () => {
    for (const location of [{ latitude: -33.8, longitude: 151.2 }, { latitude: 0, longitude: 0 }, undefined])
      expect(() => requireSane({ location })).not.toThrow();
    for (const location of [
      { latitude: 91 },
      { longitude: -181 },
      { latitude: Number.NaN },
      { longitude: Infinity },
      { latitude: 3.7e-57 },
    ])
      expect(() => requireSane({ location })).toThrow();
  });
});
