import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { ImportedGame, ImportedRow, ImportIssue, ParseOptions } from './imported-game.js';
import { parseFootballData } from './parse-football-data.js';

const ROOT = join(import.meta.dirname, '../../../..');
const FIXTURES = join(ROOT, 'test/fixtures/importers');
const WHOLE_FILES = join(ROOT, '../shared/data/soccer/epl');

interface Outcome {
  games: ImportedGame[];
  issues: ImportIssue[];
}

async function split(rows: AsyncIterable<ImportedRow>): Promise<Outcome> {
  const outcome: Outcome = { games: [], issues: [] };
  for await (const row of rows) {
    if ('game' in row) outcome.games.push(row.game);
    else outcome.issues.push(row.issue);
  }
  return outcome;
}

const readFixture = (name: string, options?: ParseOptions) =>
  split(parseFootballData(createReadStream(join(FIXTURES, name)), undefined, options));

/** Rows made of one good row, each with some fields changed. */
function readRows(...rows: Record<string, string>[]): Promise<Outcome> {
  const base = { Div: 'E0', Date: '05/08/2022', HomeTeam: 'Leeds', AwayTeam: 'Wolves', FTHG: '2', FTAG: '1' };
  const columns = [...new Set([base, ...rows].flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => columns.map((column) => ({ ...base, ...row })[column] ?? '').join(','));
  return split(parseFootballData(Readable.from([[columns.join(','), ...lines].join('\n')])));
}

const summary = ({ markets }: ImportedGame) =>
  markets.map(({ kind, line, prices }) => [kind, line, ...prices.map(({ decimal }) => decimal)]);

describe('parseFootballData', () => {
  it('reads a real game whole', async () => {
    const { games } = await readFixture('football-data-2223.csv');
    expect(games[1]).toEqual({
      source: 'football-data',
      externalId: 'e0-2022-23-2022-08-06-fulham-liverpool',
      sport: 'soccer',
      league: 'EPL',
      season: '2022-23',
      homeTeam: 'Fulham',
      awayTeam: 'Liverpool',
      startsAt: new Date('2022-08-06T11:30:00Z'),
      neutral: false,
      markets: [
        {
          kind: 'three_way',
          line: null,
          prices: [
            { outcome: 'home', decimal: '11.2' },
            { outcome: 'draw', decimal: '6.22' },
            { outcome: 'away', decimal: '1.28' },
          ],
        },
        {
          kind: 'spread',
          line: '1.75',
          prices: [
            { outcome: 'home', decimal: '1.91' },
            { outcome: 'away', decimal: '2' },
          ],
        },
        {
          kind: 'total',
          line: '2.5',
          prices: [
            { outcome: 'over', decimal: '1.5' },
            { outcome: 'under', decimal: '2.7' },
          ],
        },
      ],
      score: { home: 2, away: 2, overtime: false },
      line: 3,
    });
  });

  it('reads the first days of 2022-23 with no issue, falling back to the next bookmaker', async () => {
    const { games, issues } = await readFixture('football-data-2223.csv');
    expect(issues).toEqual([]);
    expect(games).toHaveLength(10);
    const withoutPinnacle = games.find(({ homeTeam }) => homeTeam === 'Man City');
    expect(withoutPinnacle && summary(withoutPinnacle)).toEqual([
      ['three_way', null, '1.13', '10.77', '20.4'],
      ['spread', '-2.5', '1.89', '2.02'],
      ['total', '2.5', '1.25', '4'],
    ]);
    const afterSummerTime = games.find(({ homeTeam }) => homeTeam === 'Arsenal');
    expect(afterSummerTime?.startsAt.toISOString()).toBe('2022-10-30T14:00:00.000Z');
    expect(afterSummerTime?.externalId).toBe('e0-2022-23-2022-10-30-arsenal-nott-m-forest');
  });

  it.each([
    ['as it is, in Latin-1', (bytes: Buffer) => bytes],
    [
      'as UTF-8 with a byte order mark',
      (bytes: Buffer) => Buffer.from(`\uFEFF${bytes.toString('latin1')}`, 'utf8'),
    ],
  ])('reads an old file %s: three notations of days, no times, rows cut short', async (_, encode) => {
    const bytes = encode(readFileSync(join(FIXTURES, 'football-data-1213-latin1.csv')));
    const { games, issues } = await split(parseFootballData(Readable.from([bytes])));
    expect(issues).toEqual([]);
    expect(games.map((game) => [game.startsAt.toISOString(), game.homeTeam, ...summary(game)])).toEqual([
      [
        '2012-08-18T14:00:00.000Z',
        'Arsenal',
        ['three_way', null, '1.44', '4.76', '8.78'],
        ['spread', '-1.25', '1.96', '1.91'],
        ['total', '2.5', '1.76', '2.05'],
      ],
      [
        '2012-08-18T14:00:00.000Z',
        'Fulham',
        ['three_way', null, '1.82', '3.81', '4.8'],
        ['spread', '-0.5', '1.8', '2.09'],
        ['total', '2.5', '1.89', '1.92'],
      ],
      [
        '2012-08-18T14:00:00.000Z',
        'Newcastle',
        ['three_way', null, '2.65', '3.47', '2.82'],
        ['spread', '0', '1.88', '1.97'],
        ['total', '2.5', '1.88', '1.92'],
      ],
      ['2012-08-18T14:00:00.000Z', 'QPR'],
      [
        '2013-01-01T15:00:00.000Z',
        'Southampton',
        ['three_way', null, '5.24', '4.05', '1.71'],
        ['spread', '0.75', '1.97', '1.89'],
        ['total', '2.5', '1.59', '2.28'],
      ],
      [
        '2013-05-19T14:00:00.000Z',
        'Wigan',
        ['three_way', null, '2.1', '3.66', '3.7'],
        ['spread', '-0.25', '1.79', '2.07'],
        ['total', '2.5', '1.71', '2.11'],
      ],
    ]);
    expect(new Set(games.map(({ season }) => season))).toEqual(new Set(['2012-13']));
  });

  it('names line, column and value of each bad row, and imports no part of it', async () => {
    const { games, issues } = await readFixture('bad-rows-football-data.csv');
    expect(games.map(({ line }) => line)).toEqual([2, 18]);
    expect(issues.map(({ line, column, value, problem }) => [line, column, value, problem])).toEqual([
      [3, 'Date', '31/02/2023', 'is no such day'],
      [4, 'Date', '2022-08-05', 'is not a day (dd/mm/yy, dd/mm/yyyy or dd-mm-yyyy)'],
      [5, 'Date', '06/08/2032', 'is outside of the season 2022-23'],
      [6, 'Time', '12.3', 'is not a time (HH:MM)'],
      [7, 'Div', 'E9', 'is not a division that is known'],
      [8, 'HomeTeam', null, 'is missing'],
      [9, 'FTHG', 'x', 'is not a score (a whole number, 0 or more)'],
      [10, 'FTAG', null, 'is missing although the other score is given'],
      [11, 'FTR', 'H', 'contradicts the score, which makes it A'],
      [12, 'P>2.5', '1', 'is not a decimal price (must be above 1)'],
      [13, 'P<2.5', '1,9', 'is not a decimal price'],
      [14, 'AHh', '0.3', 'is not a line (a multiple of 0.25)'],
      [15, 'PAHA', '-1.9', 'is not a decimal price'],
      [16, null, null, 'is the same game as on line 2'],
      [17, null, null, 'has 1 more values than the header has columns'],
      [18, 'P>2.5', null, 'is missing, so the total market is left out'],
    ]);
    expect(issues.filter(({ market }) => market !== undefined)).toMatchObject([
      { line: 18, market: 'total' },
    ]);
  });

  it.each([
    ['Pinnacle first', { 'P>2.5': '2.10', 'P<2.5': '1.80', 'B365>2.5': '2', 'B365<2.5': '1.9' }, '2.10'],
    ['Bet365 when Pinnacle gives one price', { 'P>2.5': '2.1', 'B365>2.5': '2', 'B365<2.5': '1.9' }, '2'],
    ['the average last', { 'BbAv>2.5': '1.76', 'BbAv<2.5': '2.05' }, '1.76'],
    ['Pinnacle, not judging others', { 'P>2.5': '2.1', 'P<2.5': '1.8', 'GB>2.5': '?' }, '2.1'],
  ])('takes the total of %s, to the letter', async (_, odds, over) => {
    const { games, issues } = await readRows(odds);
    expect(issues).toEqual([]);
    expect(games[0]?.markets[0]?.prices[0]).toEqual({ outcome: 'over', decimal: over });
  });

  it.each([
    [
      'Pinnacle first',
      { PSH: '2.10', PSD: '3.4', PSA: '3.8', B365H: '2', B365D: '3', B365A: '4' },
      ['2.10', '3.4', '3.8'],
    ],
    [
      'Bet365 when Pinnacle has no draw',
      { PSH: '2.1', PSA: '3.8', B365H: '2', B365D: '3', B365A: '4' },
      ['2', '3', '4'],
    ],
    [
      'a later one before the average',
      { AvgH: '2', AvgD: '3', AvgA: '4', VCH: '2.2', VCD: '3', VCA: '4' },
      ['2.2', '3', '4'],
    ],
    ['the average last', { BbAvH: '1.76', BbAvD: '3.5', BbAvA: '5' }, ['1.76', '3.5', '5']],
  ])('takes 1X2 of %s: home, draw, away', async (_, odds, [home, draw, away]) => {
    const { games, issues } = await readRows(odds);
    expect(issues).toEqual([]);
    expect(games[0]?.markets).toEqual([
      {
        kind: 'three_way',
        line: null,
        prices: [
          { outcome: 'home', decimal: home },
          { outcome: 'draw', decimal: draw },
          { outcome: 'away', decimal: away },
        ],
      },
    ]);
  });

  it('takes nobody’s closing odds', async () => {
    expect((await readRows({ PSCH: '2', PSCD: '3', PSCA: '4' })).games).toMatchObject([{ markets: [] }]);
  });

  it.each([
    ['is missing, so the three_way market is left out', { B365H: '2', B365A: '4' }, 'B365D', 1],
    ['is not a decimal price (must be above 1)', { PSH: '2', PSD: '1', PSA: '4' }, 'PSD', 0],
    ['is not a decimal price', { PSH: '+110', PSD: '3', PSA: '4' }, 'PSH', 0],
  ])('says of 1X2 that a price %s', async (problem, odds, column, count) => {
    const { games, issues } = await readRows(odds);
    expect(issues).toMatchObject([{ column, problem }]);
    expect(games).toHaveLength(count);
  });

  it('reads each bookmaker’s handicap on its own line', async () => {
    const { games } = await readRows({
      GBAH: '-0.5',
      GBAHH: '1.9',
      GBAHA: '1.95',
      B365AH: '-0.75',
      B365AHH: '2.1',
    });
    expect(games.map(summary)).toEqual([[['spread', '-0.5', '1.9', '1.95']]]);
  });

  it('reads a fixture that has not been played', async () => {
    const { games } = await readRows({ FTHG: '', FTAG: '', FTR: '' });
    expect(games).toMatchObject([{ score: null, markets: [] }]);
  });

  it.each([
    ['14/08/93', '1993-94', '1993-08-14T14:00:00.000Z'],
    ['19/08/00', '2000-01', '2000-08-19T14:00:00.000Z'],
    ['07/05/2000', '1999-00', '2000-05-07T14:00:00.000Z'],
    ['29-07-2022', '2022-23', '2022-07-29T14:00:00.000Z'],
  ])('takes a file that begins on %s for the season %s', async (day, season, startsAt) => {
    const { games } = await readRows({ Date: day });
    expect(games).toMatchObject([{ season, startsAt: new Date(startsAt) }]);
  });

  it('keeps a season that ended in July whole', async () => {
    const { games, issues } = await readRows(
      { Date: '09/08/2019' },
      { Date: '26/07/2020', HomeTeam: 'West Ham' },
    );
    expect(issues).toEqual([]);
    expect(games.map(({ season }) => season)).toEqual(['2019-20', '2019-20']);
  });

  it('reads only the seasons asked for', async () => {
    expect((await readFixture('football-data-2223.csv', { seasons: [2021] })).games).toEqual([]);
    expect((await readFixture('football-data-2223.csv', { seasons: [2021, 2022] })).games).toHaveLength(10);
  });

  it('refuses a header that lacks columns before the first row, naming them', async () => {
    const rows = parseFootballData(Readable.from(['Div,Date,HomeTeam\nE0,05/08/2022,Leeds\n']));
    await expect(rows.next()).rejects.toMatchObject({
      code: 'SEASON_FILE_HEADER',
      missingColumns: ['AwayTeam', 'FTHG', 'FTAG'],
    });
  });
});

(existsSync(WHOLE_FILES) ? describe : describe.skip)('parseFootballData over whole seasons', () => {
  const files = existsSync(WHOLE_FILES)
    ? readdirSync(WHOLE_FILES).filter((name) => name.endsWith('.csv'))
    : [];

  it.each(files)('reads every game of %s with all three markets and no issue', async (name) => {
    const { games, issues } = await split(parseFootballData(createReadStream(join(WHOLE_FILES, name))));
    expect(issues).toEqual([]);
    expect(games).toHaveLength(380);
    expect(new Set(games.map(({ externalId }) => externalId)).size).toBe(380);
    expect(new Set(games.map(({ season }) => `E0_${season.slice(2, 4)}${season.slice(5)}.csv`))).toEqual(
      new Set([name]),
    );
    expect(games.every(({ markets, score }) => markets.length === 3 && score !== null)).toBe(true);
  });
});
