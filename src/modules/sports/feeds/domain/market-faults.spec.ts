import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { loadRules } from '../../../../platform/config/load-config.js';
import type { FeedMarket } from '../sports-feed.js';
import { marketFaults } from './feed-checks.js';

const ROOT = join(import.meta.dirname, '../../../../..');
const US_ODDS = join(ROOT, '../shared/data/us-odds');
const { checks } = loadRules(join(ROOT, 'config')).sports;
const NFL = 'american_football';

const american = (home: number, away: number) => [
  { outcome: 'home', american: home },
  { outcome: 'away', american: away },
];
const moneyline = (home: number, away: number): FeedMarket => ({
  kind: 'moneyline',
  line: null,
  prices: american(home, away),
});
const spread = (line: string | null, home = -110, away = -110): FeedMarket => ({
  kind: 'spread',
  line,
  prices: american(home, away),
});
const total = (line: string, over = -110, under = -110): FeedMarket => ({
  kind: 'total',
  line,
  prices: [
    { outcome: 'over', american: over },
    { outcome: 'under', american: under },
  ],
});
const decimals = (kind: 'moneyline' | 'three_way', ...prices: string[]): FeedMarket => ({
  kind,
  line: null,
  prices: prices.map((decimal, index) => ({
    outcome: (kind === 'moneyline' ? ['home', 'away'] : ['home', 'draw', 'away'])[index] ?? 'more',
    decimal,
  })),
});
const prop = (places: number, ...prices: string[]): FeedMarket => ({
  kind: 'prop',
  line: null,
  prop: {
    key: 'first_touchdown',
    title: 'First touchdown',
    places,
    outcomes: prices.map((_, index) => ({ key: `p${index}`, label: `P${index}` })),
  },
  prices: prices.map((decimal, index) => ({ outcome: `p${index}`, decimal })),
});
const faults = (sport: string, ...markets: FeedMarket[]) =>
  Object.fromEntries(marketFaults(sport, markets, checks).map(({ market, reason }) => [market, reason]));

describe('the markets of a game', () => {
  const both = (reason: string) => ({ spread: reason, total: reason });
  const TABLE: [string, string, FeedMarket[], Record<string, string>][] = [
    ['nothing, of three good ones', NFL, [moneyline(-150, 130), spread('-3'), total('45.5')], {}],
    [
      'nothing, of quarter lines',
      'soccer',
      [decimals('three_way', '2.1', '3.4', '3.6'), spread('-0.25'), total('2.75')],
      {},
    ],
    ['nothing, of favourites near even that differ', NFL, [moneyline(-105, -115), spread('-1')], {}],
    [
      'spread and total swapped',
      NFL,
      [moneyline(-150, 130), spread('45.5'), total('3')],
      both('SPREAD_TOTAL_SWAPPED'),
    ],
    ['the same within the bounds', NFL, [spread('44'), total('21')], both('SPREAD_TOTAL_SWAPPED')],
    ['nothing, of a great favourite with a fixed total', 'soccer', [spread('-2.75'), total('2.5')], {}],
    [
      'a moneyline that contradicts the spread',
      NFL,
      [moneyline(150, -170), spread('-4')],
      { moneyline: 'MONEYLINE_CONTRADICTS_SPREAD', spread: 'MONEYLINE_CONTRADICTS_SPREAD' },
    ],
    [
      'the same of an away favourite',
      NFL,
      [moneyline(-170, 150), spread('4')],
      { moneyline: 'MONEYLINE_CONTRADICTS_SPREAD', spread: 'MONEYLINE_CONTRADICTS_SPREAD' },
    ],
    [
      'the same of three ways',
      'soccer',
      [decimals('three_way', '6', '4', '1.6'), spread('-1')],
      { three_way: 'MONEYLINE_CONTRADICTS_SPREAD', spread: 'MONEYLINE_CONTRADICTS_SPREAD' },
    ],
    ['American odds inside 100', NFL, [moneyline(-150, 90)], { moneyline: 'PRICE_IMPOSSIBLE' }],
    ['American odds that are no integer', NFL, [moneyline(-150.5, 130)], { moneyline: 'PRICE_IMPOSSIBLE' }],
    ['a decimal of 1', NFL, [decimals('moneyline', '1', '2')], { moneyline: 'PRICE_IMPOSSIBLE' }],
    ['a decimal that is none', NFL, [decimals('moneyline', '1e3', '2')], { moneyline: 'PRICE_IMPOSSIBLE' }],
    [
      'a price that nobody pays, and that no table holds',
      'soccer',
      [decimals('three_way', '1.01', '30', '1000000')],
      { three_way: 'PRICE_IMPOSSIBLE' },
    ],
    [
      'American odds without end',
      NFL,
      [moneyline(-2_000_000_000, 10_000_001)],
      { moneyline: 'PRICE_IMPOSSIBLE' },
    ],
    [
      'both a decimal and American odds',
      NFL,
      [
        {
          kind: 'moneyline',
          line: null,
          prices: [
            { outcome: 'home', american: 100, decimal: '2' },
            { outcome: 'away', american: -120 },
          ],
        },
      ],
      { moneyline: 'PRICE_IMPOSSIBLE' },
    ],
    ['prices that give money away', NFL, [moneyline(110, 100)], { moneyline: 'OVERROUND_LOW' }],
    ['nothing, of prices without a margin', NFL, [moneyline(100, -100)], {}],
    ['prices that take 40 %', NFL, [moneyline(-250, -250)], { moneyline: 'OVERROUND_HIGH' }],
    ['nothing, at 40 % exactly', NFL, [decimals('moneyline', '1.25', '1.666667')], {}],
    [
      "an exchange's junk",
      'soccer',
      [decimals('three_way', '1.01', '1.01', '1000')],
      { three_way: 'OVERROUND_HIGH' },
    ],
    [
      'a missing outcome',
      'soccer',
      [decimals('three_way', '2.1', '3.4')],
      { three_way: 'MARKET_INCOMPLETE' },
    ],
    [
      'an outcome too many',
      NFL,
      [decimals('moneyline', '2.1', '1.8', '9')],
      { moneyline: 'MARKET_INCOMPLETE' },
    ],
    [
      'an outcome twice',
      NFL,
      [
        {
          kind: 'moneyline',
          line: null,
          prices: [
            { outcome: 'home', american: -110 },
            { outcome: 'home', american: -110 },
          ],
        },
      ],
      { moneyline: 'MARKET_INCOMPLETE' },
    ],
    ['no prices', NFL, [{ kind: 'moneyline', line: null, prices: [] }], { moneyline: 'MARKET_INCOMPLETE' }],
    ['a spread without a line', NFL, [spread(null)], { spread: 'LINE_IMPOSSIBLE' }],
    ['a line off the quarters', NFL, [spread('-3.3')], { spread: 'LINE_IMPOSSIBLE' }],
    ['a line that is none', NFL, [spread('pk')], { spread: 'LINE_IMPOSSIBLE' }],
    [
      'a moneyline with a line',
      NFL,
      [{ ...moneyline(-110, -110), line: '0' }],
      { moneyline: 'LINE_IMPOSSIBLE' },
    ],
    ["a total below the sport's", NFL, [total('4.5')], { total: 'LINE_IMPOSSIBLE' }],
    ["a spread beyond the sport's", 'soccer', [spread('-14')], { spread: 'LINE_IMPOSSIBLE' }],
    ['two of one kind, both of them', NFL, [spread('-3'), spread('-3.5')], { spread: 'MARKET_TWICE' }],
    [
      'only the one of three that is bad',
      NFL,
      [moneyline(-150, 130), spread('-3'), total('45.5', 90, -110)],
      { total: 'PRICE_IMPOSSIBLE' },
    ],
    ['nothing, of a prop', NFL, [prop(1, '2', '3', '5')], {}],
    ['nothing, of a prop with two places', NFL, [prop(2, '1.2', '1.5', '1.9')], {}],
    [
      'a prop of two places priced as one',
      NFL,
      [prop(2, '2', '3', '5')],
      { 'prop:first_touchdown': 'OVERROUND_LOW' },
    ],
  ];
  it.each(TABLE)('finds %s', (_, sport, markets, found) => {
    expect(faults(sport, ...markets)).toEqual(found);
  });

  const every = join(US_ODDS, 'nfl_nflverse_games_1999_2025.csv');
  const marketsOf = (row: Record<string, string>, swapped = false): FeedMarket[] => {
    const line = String(-Number(row['spread_line']));
    const sum = String(Number(row['total_line']));
    const odds = (name: string) => Number(row[name]);
    return [
      moneyline(odds('home_moneyline'), odds('away_moneyline')),
      spread(swapped ? sum : line, odds('home_spread_odds'), odds('away_spread_odds')),
      total(swapped ? line : sum, odds('over_odds'), odds('under_odds')),
    ];
  };
  const PRICES = ['home_moneyline', 'spread_line', 'home_spread_odds', 'over_odds'];

  (existsSync(every) ? it : it.skip)(
    'finds in thousands of real games what is wrong with them, and each swap',
    () => {
      const rows = parse<Record<string, string>>(readFileSync(every), { columns: true }).filter((row) =>
        PRICES.every((name) => !['', 'NA'].includes(row[name] ?? '')),
      );
      expect(rows.length).toBeGreaterThan(3000);
      const found = rows.flatMap((row) =>
        marketFaults(NFL, marketsOf(row), checks).map(({ reason }) => reason),
      );
      // A few old prices that give money away, and nothing else: no favourite of a spread of 3 that is not the moneyline's.
      expect(new Set(found)).toEqual(new Set(['OVERROUND_LOW']));
      expect(found.length).toBeLessThan(rows.length / 100);
      const missed = rows.filter((row) => {
        const reasons = faults(NFL, ...marketsOf(row, true));
        return reasons['spread'] !== 'SPREAD_TOTAL_SWAPPED' || reasons['total'] !== 'SPREAD_TOTAL_SWAPPED';
      });
      expect(missed).toEqual([]);
    },
  );

  it('believes a whole real season', () => {
    const rows = parse<Record<string, string>>(readFileSync(join(ROOT, 'data/seasons/nfl-2023.csv')), {
      columns: true,
    });
    const found = rows.flatMap((row) => marketFaults(NFL, marketsOf(row), checks));
    expect(rows).toHaveLength(285);
    expect(found).toEqual([]);
  });
});

describe('prices of a real provider', () => {
  const folder = join(ROOT, '../shared/data/specs/odds-api');
  interface Event {
    home_team: string;
    away_team: string;
    bookmakers: { key: string; markets: { key: string; outcomes: { name: string; price: number }[] }[] }[];
  }

  (existsSync(folder) ? it : it.skip)(
    "are those of bookmakers, but for an exchange's that nobody has matched",
    () => {
      const doubtful: Record<string, number> = {};
      const all: Record<string, number> = {};
      for (const file of ['odds_soccer_epl.json', 'odds_soccer_usa_mls.json', 'odds_basketball_nba.json'])
        for (const event of JSON.parse(readFileSync(join(folder, file), 'utf8')) as Event[])
          for (const { key, markets } of event.bookmakers)
            for (const { outcomes } of markets.filter((market) => market.key.startsWith('h2h'))) {
              const teams = ['Draw', event.home_team, event.away_team];
              const kind = outcomes.length === 3 ? 'three_way' : 'moneyline';
              const prices = outcomes.map(({ name, price }) => ({
                outcome: ['draw', 'home', 'away'][teams.indexOf(name)] ?? name,
                decimal: String(price),
              }));
              const [fault] = marketFaults('soccer', [{ kind, line: null, prices }], checks);
              const who = key.startsWith('betfair_ex') || key === 'matchbook' ? 'exchanges' : 'bookmakers';
              all[who] = (all[who] ?? 0) + 1;
              if (fault) doubtful[who] = (doubtful[who] ?? 0) + 1;
            }
      expect(all['bookmakers']).toBeGreaterThan(1000);
      expect((doubtful['exchanges'] ?? 0) / (all['exchanges'] ?? 1)).toBeGreaterThan(0.05);
      expect((doubtful['bookmakers'] ?? 0) / (all['bookmakers'] ?? 1)).toBeLessThan(0.02);
    },
  );
});
