import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { parse } from 'yaml';
import { forgottenCurrencies, JurisdictionRules, readJurisdictions } from './jurisdiction-rules.js';

interface File {
  usual: Record<string, unknown>;
  countries: Record<string, Record<string, unknown>>;
}

const file = (): File =>
  parse(readFileSync(join(import.meta.dirname, '../../../config/jurisdictions.yml'), 'utf8')) as File;

/** What is wrong with the file once it was changed. */
function problems(change: (rules: File) => void): string {
  const rules = file();
  change(rules);
  const errors = validateSync(plainToInstance(JurisdictionRules, rules), {
    whitelist: true,
    forbidNonWhitelisted: true,
  });
  return errors.flatMap((error) => Object.values(error.constraints ?? {})).join('; ');
}

const STATES =
  'AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY';
const PROVINCES = 'AB BC MB NB NL NS NT NU ON PE QC SK YT';

describe('jurisdictions', () => {
  const { usual, countries } = file();
  const all = readJurisdictions(usual, countries);

  it('names the 50 states and DC, the provinces of Canada and the United Kingdom', () => {
    const states = STATES.split(' ');
    expect(states).toHaveLength(51);
    const wanted = [
      ...states.map((state) => `US-${state}`),
      ...PROVINCES.split(' ').map((province) => `CA-${province}`),
    ];
    expect([...all.keys()].filter((name) => /^(US|CA)-/.test(name)).toSorted()).toEqual(wanted.toSorted());
    expect(all.has('GB')).toBe(true);
  });

  it('takes what a place does not say from its country, and what that does not say from the usual', () => {
    const newJersey = all.get('US-NJ');
    expect(newJersey).toMatchObject({
      minimumAge: 18,
      zone: 'America/New_York',
      regions: 'required',
      realityCheckMinutes: 60,
      limits: { waitHours: 24, mandatory: [], maximum: {} },
    });
    expect(all.get('GB')?.kyc).toEqual({ withdrawals: { GBP: 0 }, deposits: { GBP: 0 } });
    expect(all.get('DE')?.limits).toEqual({
      waitHours: 168,
      mandatory: ['deposit'],
      maximum: { deposit: { month: { EUR: 100000, USD: 110000, XAF: 650000, UGX: 4000000 } } },
    });
  });

  it('names every currency that is taken where it names a maximum', () => {
    const rules = plainToInstance(JurisdictionRules, file());
    expect(forgottenCurrencies(rules, ['EUR', 'USD', 'XAF', 'UGX'])).toEqual([]);
    expect(forgottenCurrencies(rules, ['EUR', 'GBP'])).toEqual([
      'jurisdictions: DE: limits.maximum.deposit.month must name GBP too',
    ]);
  });

  it('is as the file stands', () => expect(problems(() => undefined)).toBe(''));

  it.each<[string, (rules: File) => void, RegExp]>([
    ['no version', (rules) => Object.assign(rules, { version: '' }), /version/],
    [
      'an unknown product',
      ({ usual: u }) => Object.assign(u, { products: ['lottery'] }),
      /usual: .*products/,
    ],
    [
      'an age that is no number',
      ({ countries: c }) => Object.assign(c['GB'] ?? {}, { minimumAge: '18' }),
      /GB: minimumAge/,
    ],
    [
      'an age that is too low',
      ({ countries: c }) => Object.assign(c['GB'] ?? {}, { minimumAge: 12 }),
      /GB: minimumAge/,
    ],
    [
      'an unknown key',
      ({ countries: c }) => Object.assign(c['GB'] ?? {}, { minimalAge: 18 }),
      /GB: property minimalAge/,
    ],
    [
      'an unknown key of limits',
      ({ countries: c }) => Object.assign(c['DE'] ?? {}, { limits: { wait: 1 } }),
      /DE: property wait/,
    ],
    [
      'a zone that is none',
      ({ countries: c }) => Object.assign(c['GB'] ?? {}, { zone: 'Mars/Base' }),
      /GB: zone/,
    ],
    [
      'a country that is none',
      ({ countries: c }) => Object.assign(c, { Britain: {} }),
      /Britain: no ISO 3166 code/,
    ],
    ['a country without rules', ({ countries: c }) => Object.assign(c, { FR: null }), /FR/],
    [
      'a part without rules',
      ({ countries: c }) => Object.assign(c['US']?.['parts'] ?? {}, { NY: 18 }),
      /US-NY/,
    ],
    [
      'parts that are a list',
      ({ countries: c }) => Object.assign(c['US'] ?? {}, { parts: ['NY'] }),
      /US: property parts/,
    ],
    [
      'a maximum without a period',
      ({ usual: u }) =>
        Object.assign(u, { limits: { waitHours: 24, mandatory: [], maximum: { deposit: { USD: 1 } } } }),
      /maximum/,
    ],
    [
      'a threshold below zero',
      ({ usual: u }) => Object.assign(u, { kyc: { withdrawals: { USD: -1 }, deposits: {} } }),
      /withdrawals/,
    ],
    [
      'a wait that is too short',
      ({ usual: u }) => Object.assign(u, { limits: { waitHours: 1, mandatory: [], maximum: {} } }),
      /waitHours/,
    ],
  ])('does not boot with %s', (_, change, problem) => expect(problems(change)).toMatch(problem));
});
