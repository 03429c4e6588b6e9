import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { WrittenPrice } from './naive-settlement.js';

/** The files of seasons as text, read by nothing of the product. */

export interface NaiveMarket {
  readonly kind: string;
  /** The handicap of home, or the total. */
  readonly line: string | null;
  readonly prices: Readonly<Record<string, WrittenPrice>>;
}

export interface NaiveGame {
  /** Where it stands in its file, the header being line 1. */
  readonly fileLine: number;
  readonly home: string;
  readonly away: string;
  readonly score: { home: number; away: number };
  readonly markets: NaiveMarket[];
}

type Cells = Readonly<Record<string, string>>;
type Given = (column: string) => string | null;

function rowsOf(path: string): { fileLine: number; given: Given }[] {
  const rows: { record: Cells; info: { lines: number } }[] = parse(readFileSync(path), {
    columns: true,
    info: true,
    bom: true,
    relaxColumnCount: true,
    skipEmptyLines: true,
  });
  return rows.map(({ record, info }) => ({
    fileLine: info.lines,
    given: (column) => {
      const text = (record[column] ?? '').trim();
      return text === '' || text === 'NA' ? null : text;
    },
  }));
}

function gamesOf(
  path: string,
  columns: { home: string; away: string; homeScore: string; awayScore: string },
  markets: (given: Given) => (NaiveMarket | null)[],
): NaiveGame[] {
  return rowsOf(path).flatMap(({ fileLine, given }) => {
    const [home, away] = [given(columns.home), given(columns.away)];
    const [homeScore, awayScore] = [given(columns.homeScore), given(columns.awayScore)];
    if (home === null || away === null || homeScore === null || awayScore === null) return [];
    const priced = markets(given).filter((each) => each !== null);
    if (priced.length === 0) return [];
    return [
      { fileLine, home, away, score: { home: Number(homeScore), away: Number(awayScore) }, markets: priced },
    ];
  });
}

/** A market is complete or none: `parts` are its outcomes and what they are priced at. */
function market(
  kind: string,
  line: string | null | undefined,
  parts: [string, WrittenPrice | null][],
): NaiveMarket | null {
  if (line === null || parts.some(([, price]) => price === null)) return null;
  return { kind, line: line ?? null, prices: Object.fromEntries(parts) as Record<string, WrittenPrice> };
}

/** Odds inside 100 are a mistake of the file's. */
function american(text: string | null): WrittenPrice | null {
  return text === null || Math.abs(Number(text)) < 100 ? null : { american: text };
}

function decimal(text: string | null): WrittenPrice | null {
  return text === null ? null : { decimal: text };
}

function negated(text: string | null): string | null {
  if (text === null || Number(text) === 0) return text;
  return text.startsWith('-') ? text.slice(1) : `-${text}`;
}

/** nflverse: a favoured home side's `spread_line` is positive. */
export function nflGames(path: string): NaiveGame[] {
  const columns = { home: 'home_team', away: 'away_team', homeScore: 'home_score', awayScore: 'away_score' };
  return gamesOf(path, columns, (given) => [
    market('moneyline', undefined, [
      ['home', american(given('home_moneyline'))],
      ['away', american(given('away_moneyline'))],
    ]),
    market('spread', negated(given('spread_line')), [
      ['home', american(given('home_spread_odds'))],
      ['away', american(given('away_spread_odds'))],
    ]),
    market('total', given('total_line'), [
      ['over', american(given('over_odds'))],
      ['under', american(given('under_odds'))],
    ]),
  ]);
}

/** sportsbookreviewsonline: lines without prices, which are taken to be −110. */
export function nbaGames(path: string): NaiveGame[] {
  const columns = { home: 'home_team', away: 'away_team', homeScore: 'home_final', awayScore: 'away_final' };
  const usual = american('-110');
  return gamesOf(path, columns, (given) => [
    market('moneyline', undefined, [
      ['home', american(given('home_ml'))],
      ['away', american(given('away_ml'))],
    ]),
    market('spread', given('home_close_spread'), [
      ['home', usual],
      ['away', usual],
    ]),
    market('total', given('close_total'), [
      ['over', usual],
      ['under', usual],
    ]),
  ]);
}

/** football-data.co.uk: each market by the first bookmaker that prices all of it; Pinnacle, Bet365, others, averages. */
export function soccerGames(path: string): NaiveGame[] {
  const columns = { home: 'HomeTeam', away: 'AwayTeam', homeScore: 'FTHG', awayScore: 'FTAG' };
  return gamesOf(path, columns, (given) => {
    const first = (markets: (NaiveMarket | null)[]) => markets.find((each) => each !== null) ?? null;
    const handicap = (line: string, bookmaker: string) =>
      market('spread', given(line), [
        ['home', decimal(given(`${bookmaker}AHH`))],
        ['away', decimal(given(`${bookmaker}AHA`))],
      ]);
    return [
      first(
        ['PS', 'B365', 'GB', 'WH', 'LB', 'BW', 'IW', 'VC', 'Avg', 'BbAv'].map((bookmaker) =>
          market('three_way', undefined, [
            ['home', decimal(given(`${bookmaker}H`))],
            ['draw', decimal(given(`${bookmaker}D`))],
            ['away', decimal(given(`${bookmaker}A`))],
          ]),
        ),
      ),
      first([
        handicap('AHh', 'P'),
        handicap('PAH', 'P'),
        handicap('AHh', 'B365'),
        handicap('B365AH', 'B365'),
        handicap('GBAH', 'GB'),
        handicap('LBAH', 'LB'),
        handicap('AHh', 'Avg'),
        handicap('BbAHh', 'BbAv'),
      ]),
      first(
        ['P', 'B365', 'GB', 'Avg', 'BbAv'].map((bookmaker) =>
          market('total', '2.5', [
            ['over', decimal(given(`${bookmaker}>2.5`))],
            ['under', decimal(given(`${bookmaker}<2.5`))],
          ]),
        ),
      ),
    ];
  });
}
