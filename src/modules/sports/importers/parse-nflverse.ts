import type { Readable } from 'node:stream';
import type { BytesRead, ImportedGame, ImportedRow, ParseOptions } from './imported-game.js';
import { readMarket, type MarketColumns } from './read-market.js';
import { readRows, type RowReader } from './row-reader.js';

/** Kick-offs are in Eastern time, wherever the game is played (nflreadr, dictionary of schedules: `gametime`). */
const ZONE = 'America/New_York';

const MARKETS: readonly MarketColumns[] = [
  {
    kind: 'moneyline',
    odds: 'american',
    quotes: [
      {
        prices: [
          { outcome: 'home', column: 'home_moneyline' },
          { outcome: 'away', column: 'away_moneyline' },
        ],
      },
    ],
  },
  {
    kind: 'spread',
    odds: 'american',
    // nflverse writes a favoured home side's line as positive ("lines up with the result column").
    lineIsForAway: true,
    quotes: [
      {
        line: 'spread_line',
        prices: [
          { outcome: 'home', column: 'home_spread_odds' },
          { outcome: 'away', column: 'away_spread_odds' },
        ],
      },
    ],
  },
  {
    kind: 'total',
    odds: 'american',
    quotes: [
      {
        line: 'total_line',
        prices: [
          { outcome: 'over', column: 'over_odds' },
          { outcome: 'under', column: 'under_odds' },
        ],
      },
    ],
  },
];

/** The columns without which a file is no nflverse schedule. `result` and `total` are held against the score if present. */
export const NFLVERSE_COLUMNS: readonly string[] = [
  'game_id',
  'season',
  'gameday',
  'gametime',
  'home_team',
  'away_team',
  'location',
  'home_score',
  'away_score',
  'overtime',
  'home_moneyline',
  'away_moneyline',
  'spread_line',
  'home_spread_odds',
  'away_spread_odds',
  'total_line',
  'over_odds',
  'under_odds',
];

/**
 * Streams the games of nflverse's `games.csv` or a part of it (nflverse/nfldata, CC BY 4.0; closing lines).
 *
 * Every field that is used is read strictly. A malformed one leaves its whole row out, with an issue for each mistake:
 * a bad day, time (all of 1999 has none), number, odds inside 100, a line off the quarter steps, one score of two, a
 * score that contradicts `result` or `total`, a team missing, an id seen before, a field too many or too few. A market
 * with every field empty is absent; one with only some of them (before 2006 mostly lines without prices) is left out
 * with an issue of its own while the game stays. Empty and `NA` are the same. An id counts as seen once a row carries
 * it, even a refused row.
 *
 * Throws `SeasonFileError` before the first row when the header lacks columns, naming them.
 */
export async function* parseNflverse(
  source: Readable,
  onProgress?: BytesRead,
  options: ParseOptions = {},
): AsyncGenerator<ImportedRow> {
  const seen = new Map<string, number>();
  for await (const row of readRows(source, 'nflverse', NFLVERSE_COLUMNS, onProgress)) {
    const season = row.year('season');
    if (season !== null && options.seasons && !options.seasons.includes(season)) continue;
    row.expectEveryCell();
    // The fields of a ragged row have shifted; judging each would only bury the one fault that explains them.
    const game = row.faulty ? null : readGame(row, String(season), seen);
    for (const issue of row.issues(row.cell('game_id') || null)) yield { issue };
    if (game) yield { game };
  }
}

function readGame(row: RowReader, season: string, seen: Map<string, number>): ImportedGame | null {
  const externalId = readId(row, seen);
  const startsAt = readStart(row);
  const homeTeam = row.text('home_team');
  const awayTeam = row.text('away_team');
  if (homeTeam !== null && homeTeam === awayTeam) row.refuse('away_team', 'is the home team too');
  const location = row.oneOf('location', ['Home', 'Neutral']);
  const score = readScore(row);
  const markets = MARKETS.flatMap((market) => readMarket(row, market) ?? []);
  if (row.faulty || externalId === null || homeTeam === null || awayTeam === null || startsAt === null)
    return null;
  return {
    source: 'nflverse',
    externalId,
    sport: 'american_football',
    league: 'NFL',
    season,
    homeTeam,
    awayTeam,
    startsAt,
    neutral: location === 'Neutral',
    markets,
    score,
    line: row.line,
  };
}

function readId(row: RowReader, seen: Map<string, number>): string | null {
  const id = row.text('game_id');
  if (id === null) return null;
  const first = seen.get(id);
  if (first !== undefined) return row.refuse('game_id', `is the same as on line ${first}`);
  seen.set(id, row.line);
  return id;
}

function readStart(row: RowReader): Date | null {
  const day = /^(\d{4})-(\d\d)-(\d\d)$/.exec(row.cell('gameday'));
  if (!day) return row.refuse('gameday', row.isBlank('gameday') ? 'is missing' : 'is not a day (YYYY-MM-DD)');
  const date = row.day('gameday', { year: Number(day[1]), month: Number(day[2]), day: Number(day[3]) });
  return date && row.instant(date, 'gametime', row.cell('gametime'), ZONE);
}

function readScore(row: RowReader): ImportedGame['score'] {
  const score = row.score('home_score', 'away_score');
  if (!score) return null;
  const overtime = row.oneOf('overtime', ['0', '1']);
  const checks: [string, number][] = [
    ['result', score.home - score.away],
    ['total', score.home + score.away],
  ];
  for (const [column, computed] of checks) {
    const given = row.integerIfGiven(column);
    if (typeof given === 'number' && given !== computed) {
      row.refuse(column, `contradicts the score, which makes it ${computed}`);
    }
  }
  return { ...score, overtime: overtime === '1' };
}
