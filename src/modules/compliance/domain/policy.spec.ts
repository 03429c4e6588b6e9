import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decide, type PolicyContext, type PolicyOperation, type PolicySubject } from './policy.js';

const NOW = new Date('2023-10-03T12:00:00Z');
const LATER = new Date('2024-04-03T12:00:00Z');
const MINUTE = 60_000;

const player: PolicySubject = {
  bars: [],
  birthDate: '1990-12-10',
  ageVerified: false,
  checkedAt: new Date(NOW.getTime() - 59 * MINUTE),
  checkMinutes: null,
};

const place = {
  products: ['pools', 'matches', 'codes', 'social'],
  minimumAge: 18,
  zone: 'America/New_York',
  ageVerification: 'none',
  realityCheckMinutes: 60,
} satisfies PolicyContext['jurisdiction'];

type Where = Partial<NonNullable<PolicyContext['jurisdiction']>> | null;

function ask(
  operation: PolicyOperation['operation'],
  who: Partial<PolicySubject> | null,
  where: Where = {},
  product: string | null = null,
): string | null {
  const subject = who && { ...player, ...who };
  const jurisdiction = where && { ...place, ...where };
  return decide(subject, { operation, product }, { jurisdiction, minimumAge: 18, now: NOW })?.code ?? null;
}

const OPERATIONS = ['stake', 'deposit', 'withdraw', 'social', 'read', 'account', 'staff', 'machine'] as const;
type Expected = Readonly<Partial<Record<(typeof OPERATIONS)[number], string>>>;

const STAKES = (code: string): Expected => ({ stake: code, deposit: code });
const PLACED = { stake: 'GEO_BLOCKED', deposit: 'GEO_BLOCKED', social: 'GEO_BLOCKED', read: 'GEO_BLOCKED' };

/** What a circumstance refuses; everything that is not named is allowed. */
const CASES: readonly (readonly [string, Partial<PolicySubject> | null, Where, Expected])[] = [
  ['nothing against them', {}, {}, {}],
  [
    'a ban',
    { bars: [{ kind: 'ban', until: null }] },
    {},
    { ...STAKES('ACCOUNT_BANNED'), withdraw: 'ACCOUNT_BANNED', social: 'ACCOUNT_BANNED' },
  ],
  [
    'an exclusion',
    { bars: [{ kind: 'self_exclusion', until: LATER }] },
    {},
    { ...STAKES('SELF_EXCLUDED'), social: 'SELF_EXCLUDED' },
  ],
  ['a time-out', { bars: [{ kind: 'time_out', until: LATER }] }, {}, STAKES('TIMED_OUT')],
  ['an unknown place', {}, null, PLACED],
  ['a closed place', {}, { products: [] }, PLACED],
  ['a place for talk alone', {}, { products: ['social'] }, STAKES('GEO_BLOCKED')],
  ['too young', { birthDate: '2005-10-04' }, {}, STAKES('UNDER_AGE')],
  ['too young for the place', { birthDate: '2003-10-03' }, { minimumAge: 21 }, STAKES('UNDER_AGE')],
  [
    'old enough for the place, not for any',
    { birthDate: '2006-10-03' },
    { minimumAge: 16 },
    STAKES('UNDER_AGE'),
  ],
  ['a birth date that is none', { birthDate: 'x' }, {}, STAKES('UNDER_AGE')],
  [
    'not verified, where stakes ask for it',
    {},
    { ageVerification: 'before_stake' },
    { stake: 'AGE_NOT_VERIFIED' },
  ],
  ['not verified, where deposits do', {}, { ageVerification: 'before_deposit' }, STAKES('AGE_NOT_VERIFIED')],
  ['verified', { ageVerified: true }, { ageVerification: 'before_deposit' }, {}],
  ['an hour of play', { checkedAt: new Date(NOW.getTime() - 60 * MINUTE) }, {}, STAKES('REALITY_CHECK_DUE')],
  ['an hour in a stricter place', {}, { realityCheckMinutes: 30 }, STAKES('REALITY_CHECK_DUE')],
  ['their own interval', { checkMinutes: 15 }, {}, STAKES('REALITY_CHECK_DUE')],
  ['no longer an interval of their own', { checkMinutes: 90 }, {}, {}],
  ['nobody signed in', null, {}, {}],
];

describe('the policy', () => {
  it.each(CASES)('decides on %s', (_, who, where, expected) => {
    const found = OPERATIONS.map((operation) => [operation, ask(operation, who, where)]);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(OPERATIONS.map((operation) => [operation, expected[operation] ?? null])),
    );
  });

  it('asks a place whether it allows the product', () => {
    const where = { products: ['pools', 'social'] };
    expect(ask('stake', {}, where, 'pools')).toBeNull();
    expect(ask('stake', {}, where, 'matches')).toBe('GEO_BLOCKED');
    expect(ask('account', null, where, 'social')).toBeNull();
    expect(ask('account', null, { products: [] }, 'social')).toBe('GEO_BLOCKED');
    expect(ask('account', null, null, 'social')).toBe('GEO_BLOCKED');
    expect(ask('account', {}, null)).toBeNull();
  });

  it('tells until when, where it ends by itself', () => {
    const until = (who: Partial<PolicySubject>) =>
      decide(
        { ...player, ...who },
        { operation: 'stake', product: 'pools' },
        { jurisdiction: place, minimumAge: 18, now: NOW },
      )?.until;
    const soon = new Date('2023-10-04T12:00:00Z');
    const timeOut = (end: Date | null) => ({ kind: 'time_out', until: end }) as const;
    expect(until({ bars: [timeOut(soon), timeOut(LATER)] })).toEqual(LATER);
    expect(until({ bars: [{ kind: 'self_exclusion', until: LATER }] })).toBeNull();
    expect(until({ birthDate: '2005-10-04' })).toEqual(new Date('2023-10-04T04:00:00Z'));
  });

  it('lets the first bar of several decide', () => {
    const bars = [
      { kind: 'time_out', until: LATER },
      { kind: 'self_exclusion', until: LATER },
    ] as const;
    expect(ask('stake', { bars, birthDate: '2010-01-01' }, null)).toBe('SELF_EXCLUDED');
    expect(ask('stake', { bars: [bars[0]], birthDate: '2010-01-01' }, null)).toBe('TIMED_OUT');
    expect(ask('stake', { birthDate: '2010-01-01' }, null)).toBe('GEO_BLOCKED');
  });

  it('never allows more where less is known or more stands against somebody', () => {
    const when = fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });
    const bar = fc.record({
      kind: fc.constantFrom('ban' as const, 'self_exclusion' as const, 'time_out' as const),
      until: fc.option(when),
    });
    fc.assert(
      fc.property(
        fc.record({
          bars: fc.array(bar, { maxLength: 2 }),
          birthDate: fc.constantFrom('1980-01-01', '2004-02-29', '2005-10-03', '2010-01-01'),
          ageVerified: fc.boolean(),
          checkedAt: fc.option(when),
          checkMinutes: fc.option(fc.integer({ min: 5, max: 120 })),
        }),
        fc.constantFrom(...OPERATIONS),
        fc.constantFrom(null, 'pools', 'matches', 'social'),
        fc.subarray(['pools', 'matches', 'codes', 'social']),
        bar,
        when,
        (subject, operation, product, products, more, now) => {
          const context = (jurisdiction: PolicyContext['jurisdiction']) => ({
            jurisdiction,
            minimumAge: 18,
            now,
          });
          const asked = { operation, product };
          const known = context({ ...place, products });
          const refused = decide(subject, asked, known) !== null;
          const stricter = [
            decide({ ...subject, bars: [...subject.bars, more] }, asked, known),
            decide(subject, asked, context({ ...place, products: products.slice(1) })),
            decide(subject, asked, context({ ...place, products, minimumAge: 21 })),
            decide(subject, asked, context({ ...place, products, ageVerification: 'before_deposit' })),
            decide(subject, asked, context({ ...place, products, realityCheckMinutes: 5 })),
          ];
          return !refused || stricter.every((verdict) => verdict !== null);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
