import { createReadStream } from 'node:fs';
import { DateTime } from 'luxon';
import { readCsvRecords } from '../../src/modules/sports/importers/csv-records.js';
import type { ImportedGame, ImportedMarket } from '../../src/modules/sports/importers/imported-game.js';

/** The archive has days and no times: every game is taken to start at this hour of New York. */
const HOUR = 19;
/** The archive has lines without prices on them, for which the usual price of a line is taken. */
const LINE_PRICE = -110;

/**
 * The games of sportsbookreviewsonline's archive of the NBA, one row a game (`../shared/data/us-odds`): closing lines, moneylines as
 * they are, spread and total at −110 each. For tests alone: the archive states no licence. A market whose numbers are missing or
 * impossible (two rows have odds inside 100, or none) is left out.
 */
export async function* readSbrSeasons(path: string): AsyncGenerator<ImportedGame> {
  let header: Map<string, number> | null = null;
  for await (const { line, cells } of readCsvRecords(createReadStream(path))) {
    if (header === null) {
      header = new Map(cells.map((name, index) => [name, index]));
      continue;
    }
    const columns = header;
    yield toGame((column) => cells[columns.get(column) ?? -1] ?? '', line);
  }
}

function toGame(cell: (column: string) => string, line: number): ImportedGame {
  const [date, home, away] = [cell('date'), cell('home_team'), cell('away_team')];
  const final = { home: Number(cell('home_final')), away: Number(cell('away_final')) };
  const regulation = ['1st', '2nd', '3rd', '4th'].reduce(
    (sum, quarter) => sum + Number(cell(`home_${quarter}`)),
    0,
  );
  const played = cell('home_final') !== '' && cell('away_final') !== '';
  return {
    source: 'sbr',
    externalId: `nba-${date}-${away}-${home}`.toLowerCase(),
    sport: 'basketball',
    league: 'NBA',
    season: cell('season'),
    homeTeam: home,
    awayTeam: away,
    startsAt: DateTime.fromISO(date, { zone: 'America/New_York' }).set({ hour: HOUR }).toJSDate(),
    neutral: cell('neutral') === '1',
    markets: [
      ...moneyline(cell('home_ml'), cell('away_ml')),
      ...lined('spread', cell('home_close_spread'), ['home', 'away']),
      ...lined('total', cell('close_total'), ['over', 'under']),
    ],
    score: played ? { ...final, overtime: final.home > regulation } : null,
    line,
  };
}

function moneyline(home: string, away: string): ImportedMarket[] {
  if (![home, away].every((odds) => /^[+-]?\d+$/.test(odds) && Math.abs(Number(odds)) >= 100)) return [];
  const prices = [
    { outcome: 'home' as const, american: Number(home) },
    { outcome: 'away' as const, american: Number(away) },
  ];
  return [{ kind: 'moneyline', line: null, prices }];
}

/** Lines are multiples of a half. */
function lined(
  kind: 'spread' | 'total',
  line: string,
  [first, second]: readonly ['home', 'away'] | readonly ['over', 'under'],
): ImportedMarket[] {
  if (line === '' || !Number.isInteger(Number(line) * 4)) return [];
  const prices = [first, second].map((outcome) => ({ outcome, american: LINE_PRICE }));
  return [{ kind, line: String(Number(line)), prices }];
}
