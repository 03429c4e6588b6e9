import type { Readable } from 'node:stream';
import type { BytesRead, ImportedGame, ImportedRow, ParseOptions } from './imported-game.js';
import { FOOTBALL_DATA_MARKETS } from './football-data-markets.js';
import { readMarket } from './read-market.js';
import { readRows, type CalendarDate, type RowReader } from './row-reader.js';

/** The publisher's times are the United Kingdom's, for foreign leagues too. */
const ZONE = 'Europe/London';

/** The usual kick-off, for the seasons before 2019-20, which have no `Time`. */
const USUAL_TIME = '15:00';

/** The columns without which a file is no football-data.co.uk season. Which odds there are varies by season. */
export const FOOTBALL_DATA_COLUMNS: readonly string[] = [
  'Div',
  'Date',
  'HomeTeam',
  'AwayTeam',
  'FTHG',
  'FTAG',
];

const LEAGUES: ReadonlyMap<string, string> = new Map([
  ['E0', 'EPL'],
  ['E1', 'EFL Championship'],
  ['E2', 'EFL League One'],
  ['E3', 'EFL League Two'],
  ['EC', 'National League'],
  ['SC0', 'Scottish Premiership'],
  ['SC1', 'Scottish Championship'],
  ['SC2', 'Scottish League One'],
  ['SC3', 'Scottish League Two'],
  ['D1', 'Bundesliga'],
  ['D2', '2. Bundesliga'],
  ['I1', 'Serie A'],
  ['I2', 'Serie B'],
  ['SP1', 'La Liga'],
  ['SP2', 'La Liga 2'],
  ['F1', 'Ligue 1'],
  ['F2', 'Ligue 2'],
  ['N1', 'Eredivisie'],
  ['B1', 'Belgian Pro League'],
  ['P1', 'Primeira Liga'],
  ['T1', 'Süper Lig'],
  ['G1', 'Super League Greece'],
]);

/**
 * Streams the games of a season file of football-data.co.uk, as published since 1993-94: days as dd/mm/yy, dd/mm/yyyy
 * or dd-mm-yyyy, UTF-8 or Latin-1, with or without a byte order mark, rows cut short and empty rows included. Where there
 * is no `Time` the kick-off is taken to be 15:00 in London, which is a guess: nobody should bet on such a game live.
 *
 * Imported are 1X2 (a three-way market), the Asian handicap (the line as given to home, in quarter steps) and over/under 2.5
 * goals, each whole from the first bookmaker that has all of it, the market's average last (`FOOTBALL_DATA_MARKETS`); decimal
 * prices are kept to the letter.
 *
 * A malformed value leaves its row out, a half-quoted market only itself, as in `parseNflverse`; columns of bookmakers
 * that were not needed are not judged. The season is told by the first good day of the file (from July on it begins in
 * that year), for a file holds one season; a day outside July to the August after next is a fault.
 *
 * Throws `SeasonFileError` before the first row when the header lacks columns, naming them.
 */
export async function* parseFootballData(
  source: Readable,
  onProgress?: BytesRead,
  options: ParseOptions = {},
): AsyncGenerator<ImportedRow> {
  const seen = new Map<string, number>();
  let firstYear: number | null = null;
  for await (const row of readRows(source, 'football-data', FOOTBALL_DATA_COLUMNS, onProgress)) {
    row.expectNothingPastHeader();
    const date = readDate(row);
    const startsAt = date && readStart(row, date);
    if (date && startsAt) firstYear ??= date.month >= 7 ? date.year : date.year - 1;
    if (firstYear !== null && options.seasons && !options.seasons.includes(firstYear)) continue;
    if (date && firstYear !== null) expectInSeason(row, date, firstYear);

    const id = date && firstYear !== null ? readId(row, date, seasonName(firstYear), seen) : null;
    const game = readGame(row, id, firstYear, startsAt);
    for (const issue of row.issues(id)) yield { issue };
    if (game) yield { game };
  }
}

function readGame(
  row: RowReader,
  externalId: string | null,
  firstYear: number | null,
  startsAt: Date | null,
): ImportedGame | null {
  const league = readLeague(row);
  const homeTeam = row.text('HomeTeam');
  const awayTeam = row.text('AwayTeam');
  if (homeTeam !== null && homeTeam === awayTeam) row.refuse('AwayTeam', 'is the home team too');
  const score = readScore(row);
  const markets = FOOTBALL_DATA_MARKETS.flatMap((market) => readMarket(row, market) ?? []);
  if (row.faulty || league === null || externalId === null || firstYear === null) return null;
  if (homeTeam === null || awayTeam === null || startsAt === null) return null;
  return {
    source: 'football-data',
    externalId,
    sport: 'soccer',
    league,
    season: seasonName(firstYear),
    homeTeam,
    awayTeam,
    startsAt,
    neutral: false,
    markets,
    score,
    line: row.line,
  };
}

function readLeague(row: RowReader): string | null {
  const division = row.text('Div');
  if (division === null) return null;
  return LEAGUES.get(division) ?? row.refuse('Div', 'is not a division that is known');
}

function readDate(row: RowReader): CalendarDate | null {
  const text = row.cell('Date');
  const day = /^(\d\d)([/-])(\d\d)\2(\d{4}|\d\d)$/.exec(text);
  if (!day) {
    return row.refuse(
      'Date',
      text === '' ? 'is missing' : 'is not a day (dd/mm/yy, dd/mm/yyyy or dd-mm-yyyy)',
    );
  }
  const written = Number(day[4]);
  // The publisher's first season is 1993-94, so two digits from 93 on are of the last century.
  const year = written >= 100 ? written : written >= 93 ? 1900 + written : 2000 + written;
  return row.day('Date', { year, month: Number(day[3]), day: Number(day[1]) });
}

function readStart(row: RowReader, date: CalendarDate): Date | null {
  return row.instant(date, 'Time', row.cell('Time') || USUAL_TIME, ZONE);
}

function expectInSeason(row: RowReader, date: CalendarDate, firstYear: number): void {
  const month = (date.year - firstYear) * 12 + date.month;
  if (month < 7 || month > 20) row.refuse('Date', `is outside of the season ${seasonName(firstYear)}`);
}

function seasonName(firstYear: number): string {
  return `${firstYear}-${String((firstYear + 1) % 100).padStart(2, '0')}`;
}

/** `e0-2022-23-2022-08-05-crystal-palace-arsenal`; null (and no fault of its own) when a part of it is missing. */
function readId(
  row: RowReader,
  date: CalendarDate,
  season: string,
  seen: Map<string, number>,
): string | null {
  const parts = [row.cell('Div'), row.cell('HomeTeam'), row.cell('AwayTeam')].map(slug);
  const [division, home, away] = parts;
  if (!division || !home || !away) return null;
  const day = [date.year, date.month, date.day].map((part) => String(part).padStart(2, '0')).join('-');
  const id = [division, season, day, home, away].join('-');
  const first = seen.get(id);
  if (first === undefined) seen.set(id, row.line);
  else row.refuse(null, `is the same game as on line ${first}`);
  return id;
}

function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function readScore(row: RowReader): ImportedGame['score'] {
  const score = row.score('FTHG', 'FTAG');
  if (!score) return null;
  const result = score.home > score.away ? 'H' : score.home < score.away ? 'A' : 'D';
  if (!row.isBlank('FTR') && row.cell('FTR') !== result) {
    row.refuse('FTR', `contradicts the score, which makes it ${result}`);
  }
  return { ...score, overtime: false };
}
