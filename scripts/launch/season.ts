import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { DateTime } from 'luxon';

/** Season files of nflverse that the project keeps. */
const FOLDER = 'data/seasons';
/** The zone of the file's days and times. */
const FILE_ZONE = 'America/New_York';

export interface Score {
  readonly home: number;
  readonly away: number;
}

/** A season file as these scripts need it: which weeks have games, and how each game ended. */
export interface Season {
  readonly file: string;
  /** Final scores by the game's id in the file, which the API calls `externalId`. */
  readonly scores: ReadonlyMap<string, Score>;
  /** Number of games by week (`2023-W40`), Monday to Sunday of the pools' zone. */
  readonly weeks: ReadonlyMap<string, number>;
}

interface Row {
  game_id: string;
  gameday: string;
  gametime: string;
  home_score: string;
  away_score: string;
}

/** Reads the season files of the project. Throws with a sentence when there is none. */
export function readSeasons(zone: string): Season[] {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => /^nfl-\d+\.csv$/.test(name)) : [];
  if (files.length === 0) throw new Error(`${FOLDER} has no season file: check out the project again.`);
  return files.toSorted().map((name) => readSeason(join(FOLDER, name), zone));
}

/** The season that has games in a week; undefined when none has. */
export function seasonOfWeek(seasons: readonly Season[], week: string): Season | undefined {
  return seasons.find((season) => season.weeks.has(week));
}

/** Beginning and end of a week written `2023-W40`, Monday 00:00 to Monday 00:00 of the zone. */
export function boundsOfWeek(week: string, zone: string): { startsAt: DateTime; endsAt: DateTime } {
  const startsAt = DateTime.fromISO(`${week}-1`, { zone });
  return { startsAt, endsAt: startsAt.plus({ weeks: 1 }) };
}

function readSeason(file: string, zone: string): Season {
  const rows = parse<Row>(readFileSync(file), { columns: true, skip_empty_lines: true });
  const weeks = new Map<string, number>();
  const scores = new Map<string, Score>();
  for (const row of rows) {
    const kickOff = DateTime.fromISO(`${row.gameday}T${row.gametime}`, { zone: FILE_ZONE }).setZone(zone);
    const week = kickOff.toFormat("kkkk-'W'WW");
    weeks.set(week, (weeks.get(week) ?? 0) + 1);
    if (row.home_score !== '' && row.away_score !== '')
      scores.set(row.game_id, { home: Number(row.home_score), away: Number(row.away_score) });
  }
  return { file, scores, weeks };
}
