import { describe, expect, it } from '@jest/globals';
import type { OddsApiSport } from '../../../../platform/config/odds-api-rules.js';
import { gameOf, priceEvent } from './read-odds.js';
import { parseExactly, readEvent, type WireEvent } from './wire.js';

const NOW = new Date('2026-04-16T19:00:00Z');
const RULES = {
  bookmakers: ['sharp'],
  excluded: ['betfair_ex_*', '*_lay'],
  priceMaxAgeSeconds: 900,
  overroundMin: 0,
  overroundMax: 0.4,
};
const SOCCER = {
  key: 'soccer_epl',
  sport: 'soccer',
  league: 'EPL',
  h2h: 'three_way',
  season: { firstMonth: 7, years: 2 },
} as const satisfies OddsApiSport;
const HOCKEY: OddsApiSport = {
  ...SOCCER,
  key: 'icehockey_nhl',
  sport: 'ice_hockey',
  league: 'NHL',
  h2h: 'moneyline',
};

interface Outcome {
  name: string;
  price?: unknown;
  point?: unknown;
}
const sides = (home: number, away: number, points: [unknown, unknown] | [] = []): Outcome[] => [
  { name: 'Leeds', price: home, ...(points.length ? { point: points[0] } : {}) },
  { name: 'Wolves', price: away, ...(points.length ? { point: points[1] } : {}) },
];
const totals = (over: unknown, under: unknown): Outcome[] => [
  { name: 'Over', price: 1.9, point: over },
  { name: 'Under', price: 1.9, point: under },
];

function event(over: object = {}): WireEvent {
  const read = readEvent(parseExactly(JSON.stringify(raw(over))));
  if (!read) throw new Error('no event');
  return read;
}
const raw = (over: object): object => ({
  id: 'e1',
  sport_key: 'soccer_epl',
  commence_time: '2026-04-18T14:00:00Z',
  home_team: 'Leeds',
  away_team: 'Wolves',
  bookmakers: [],
  ...over,
});
const quoted = (key: string, outcomes: unknown, bookmaker = 'sharp', extra: object = {}): object => ({
  key: bookmaker,
  last_update: '2026-04-16T18:59:00Z',
  markets: [{ key, outcomes, ...extra }],
});
const price = (bookmakers: object[], sport = HOCKEY) => priceEvent(event({ bookmakers }), sport, RULES, NOW);

describe('priceEvent', () => {
  it('makes a three-way market of a head-to-head with a draw, home before draw before away', () => {
    const outcomes = [
      { name: 'Draw', price: 3.4 },
      { name: 'Wolves', price: 3 },
      { name: 'Leeds', price: 2.5 },
    ];
    expect(price([quoted('h2h', outcomes)], SOCCER).odds.markets).toEqual([
      {
        kind: 'three_way',
        line: null,
        prices: [
          { outcome: 'home', decimal: '2.5' },
          { outcome: 'draw', decimal: '3.4' },
          { outcome: 'away', decimal: '3' },
        ],
      },
    ]);
  });

  it('makes a moneyline of one without', () => {
    const [market] = price([quoted('h2h', sides(1.8, 2.1).toReversed())]).odds.markets;
    expect(market).toEqual({
      kind: 'moneyline',
      line: null,
      prices: [
        { outcome: 'home', decimal: '1.8' },
        { outcome: 'away', decimal: '2.1' },
      ],
    });
  });

  it.each([
    [[-3.5, 3.5], '-3.5'],
    [[3.25, -3.25], '3.25'],
    [[0, 0], '0'],
    [['-0', 0], '0'],
  ] as [[number, number], string][])('has the spread of the home side from %j', (points, line) => {
    expect(price([quoted('spreads', sides(1.9, 1.9, points))]).odds.markets).toMatchObject([
      { kind: 'spread', line },
    ]);
  });

  it('keeps a price to the letter', () => {
    const text = JSON.stringify(raw({ bookmakers: [quoted('h2h', sides(1.5, 2.75))] })).replace(
      '2.75',
      '2.7500',
    );
    const read = readEvent(parseExactly(text));
    const [market] = read ? priceEvent(read, HOCKEY, RULES, NOW).odds.markets : [];
    expect(market?.prices).toEqual([
      { outcome: 'home', decimal: '1.5' },
      { outcome: 'away', decimal: '2.7500' },
    ]);
  });

  const draw = { name: 'Draw', price: 4 };
  it.each([
    ['MARKET_INCOMPLETE', 'moneyline', quoted('h2h', [])],
    ['MARKET_INCOMPLETE', 'moneyline', quoted('h2h', sides(1.8, 2.1).slice(0, 1))],
    ['MARKET_INCOMPLETE', 'spread', quoted('spreads', sides(1.9, 1.9))],
    ['MARKET_INCOMPLETE', 'total', quoted('totals', totals(2.5, undefined))],
    ['OUTCOMES_OTHER', 'moneyline', quoted('h2h', [...sides(2.2, 3.1), draw])],
    ['OUTCOMES_OTHER', 'spread', quoted('spreads', [...sides(2.2, 3.1, [-1, 1]), draw])],
    [
      'TEAM_UNKNOWN',
      'moneyline',
      quoted('h2h', [
        { name: 'Leeds United', price: 1.8 },
        { name: 'Wolves', price: 2.1 },
      ]),
    ],
    [
      'TEAM_UNKNOWN',
      'moneyline',
      quoted('h2h', [
        { name: 'Lee', price: 1.8 },
        { name: 'Wolves', price: 2.1 },
      ]),
    ],
    ['TEAM_UNKNOWN', 'total', quoted('totals', sides(1.9, 1.9, [2.5, 2.5]))],
    ['UNREADABLE', 'moneyline', quoted('h2h', [...sides(1.8, 2.1), { name: 'Leeds', price: 1.9 }])],
    ['UNREADABLE', 'moneyline', quoted('h2h', [null, 1])],
    ['UNREADABLE', 'moneyline', quoted('h2h', [{ name: 'Leeds' }, { name: 'Wolves', price: 2.1 }])],
    ['LINES_CONTRADICT', 'spread', quoted('spreads', sides(1.9, 1.9, [-3.5, -3.5]))],
    ['LINES_CONTRADICT', 'spread', quoted('spreads', sides(1.9, 1.9, [-3.5, 3]))],
    ['LINES_CONTRADICT', 'total', quoted('totals', totals(2.5, 3))],
    ['LINE_IMPOSSIBLE', 'total', quoted('totals', totals(2.6, 2.6))],
    ['LINE_IMPOSSIBLE', 'total', quoted('totals', totals(-2.5, -2.5))],
    ['LINE_IMPOSSIBLE', 'total', quoted('totals', totals(0, 0))],
    ['LINE_IMPOSSIBLE', 'total', quoted('totals', totals('much', 'much'))],
    ['PRICE_IMPOSSIBLE', 'moneyline', quoted('h2h', sides(1, 2.1))],
    ['PRICE_IMPOSSIBLE', 'moneyline', quoted('h2h', sides(-110, 2.1))], // American odds where decimal ones belong
    ['PRICE_IMPOSSIBLE', 'moneyline', quoted('h2h', sides(1e21, 2.1))],
    ['OVERROUND_HIGH', 'moneyline', quoted('h2h', sides(1.01, 1.02))],
    ['OVERROUND_LOW', 'moneyline', quoted('h2h', sides(2.2, 2.1))],
    [
      'PRICE_OLD',
      'moneyline',
      quoted('h2h', sides(1.8, 2.1), 'sharp', { last_update: '2026-04-16T18:44:59Z' }),
    ],
  ])('%s: has no %s, and tells why', (reason, kind, bookmaker) => {
    const { odds, problems, dropped } = price([bookmaker]);
    expect(odds.markets).toEqual([]);
    expect(problems).toEqual([
      {
        kind: 'market',
        externalId: 'e1',
        subject: kind,
        reason,
        details: { bookmakers: 1, example: 'sharp' },
      },
    ]);
    expect(dropped).toEqual([{ kind, bookmaker: 'sharp', reason }]);
  });

  it('has no draw-no-bet where a draw is a result', () => {
    expect(price([quoted('h2h', sides(1.8, 2.1))], SOCCER).problems).toMatchObject([
      { reason: 'OUTCOMES_OTHER' },
    ]);
  });

  it('prices what another bookmaker has properly, and makes no problem of the rest', () => {
    const { odds, problems, dropped } = price([
      quoted('h2h', sides(1.01, 1.02)),
      quoted('h2h', sides(1.8, 2.1), 'other'),
      quoted('h2h', sides(1.7, 2.1), 'other'),
    ]);
    expect(odds.markets).toMatchObject([{ prices: [{ decimal: '1.8' }, { decimal: '2.1' }] }]);
    expect(problems).toEqual([]);
    expect(dropped.map(({ bookmaker, reason }) => [bookmaker, reason])).toEqual([
      ['other', 'UNREADABLE'], // the same market twice
      ['sharp', 'OVERROUND_HIGH'],
    ]);
  });

  it('never looks at exchanges, lay prices and markets that are not ours', () => {
    const { odds, problems, excluded } = price([
      quoted('h2h', sides(1.8, 2.1), 'betfair_ex_eu'),
      quoted('h2h_lay', sides(1.8, 2.1)),
      quoted('outrights', [{ name: 'Leeds', price: 5 }]),
    ]);
    expect([odds.markets, problems, excluded]).toEqual([[], [], 3]);
  });

  it('has no markets once the game has begun, whatever is quoted', () => {
    const bookmakers = [quoted('h2h', sides(1.8, 2.1)), quoted('totals', totals(2.5, 3))];
    const read = event({ bookmakers, commence_time: '2026-04-16T19:00:00Z' });
    expect(priceEvent(read, HOCKEY, RULES, NOW)).toMatchObject({ odds: { markets: [] }, problems: [] });
  });

  it.each([undefined, null, 'x', [null, 3, {}, { key: 'a' }, { key: 'a', markets: [null, {}] }]])(
    'has no markets of bookmakers such as %j',
    (bookmakers) => {
      expect(priceEvent(event({ bookmakers }), HOCKEY, RULES, NOW)).toMatchObject({
        odds: { externalId: 'e1', markets: [] },
        problems: [],
      });
    },
  );
});

describe('readEvent', () => {
  it.each([
    { id: '' },
    { id: 7 },
    { id: 'with a space' },
    { commence_time: 1_776_441_600 }, // dateFormat=unix, which is not what we ask for
    { commence_time: '2026-04-18' },
    { commence_time: '2026-13-18T14:00:00Z' },
    { home_team: null },
    { home_team: ' ' },
    { home_team: 'Wolves' },
    { away_team: 'x'.repeat(101) },
    { away_team: 'Wol\u0000ves' },
  ])('is null for %j', (over) => {
    expect(readEvent(raw(over))).toBeNull();
  });

  it.each([null, 1, 'x', [], undefined])('is null for %j', (value) => {
    expect(readEvent(value)).toBeNull();
  });
});

describe('gameOf', () => {
  it.each([
    ['2026-04-18T14:00:00Z', { firstMonth: 7, years: 2 }, '2025-26'],
    ['2026-07-01T00:00:00Z', { firstMonth: 7, years: 2 }, '2026-27'],
    ['2099-12-31T14:00:00Z', { firstMonth: 7, years: 2 }, '2099-00'],
    ['2026-02-08T23:30:00Z', { firstMonth: 7, years: 1 }, '2025'],
    ['2026-04-18T14:00:00Z', { firstMonth: 1, years: 1 }, '2026'],
  ] as const)('that starts at %s belongs, by %j, to the season %s', (start, season, name) => {
    expect(gameOf(event({ commence_time: start }), { ...SOCCER, season })).toEqual({
      externalId: 'e1',
      sport: 'soccer',
      league: 'EPL',
      season: name,
      homeTeam: 'Leeds',
      awayTeam: 'Wolves',
      startsAt: new Date(start),
      neutral: false,
    });
  });
});
