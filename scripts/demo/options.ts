import { parseArgs } from 'node:util';
import { readSeasons, type Season, seasonOfWeek } from '../launch/season.js';

export interface DemoOptions {
  /** `2023-W40` */
  readonly week: string;
  readonly season: Season;
  readonly players: number;
  /** Real seconds for an hour of the week; 0 goes as fast as it can. */
  readonly speed: number;
  /** What the players' choices are drawn from. The draw of the pools has a seed of its own, the product's. */
  readonly seed: string;
}

const USAGE = 'npm run demo -- [--week 2023-W40] [--players 230] [--speed 2] [--seed any-word]';
const MOST_PLAYERS = 20_000;

/** Reads the command line. Throws with a sentence when something on it cannot be played. */
export function readDemoOptions(args: string[], zone: string): DemoOptions {
  const { values } = parseArgs({
    args,
    options: {
      week: { type: 'string', default: '2023-W40' },
      players: { type: 'string', default: '230' },
      speed: { type: 'string', default: '0' },
      seed: { type: 'string', default: 'parley' },
    },
  });
  const players = Number(values.players);
  if (!Number.isInteger(players) || players < 2 || players > MOST_PLAYERS)
    throw new Error(`--players is a number from 2 to ${MOST_PLAYERS}. Usage: ${USAGE}`);
  const speed = Number(values.speed);
  if (!Number.isFinite(speed) || speed < 0)
    throw new Error(`--speed is the number of seconds that an hour of the week takes. Usage: ${USAGE}`);
  const seasons = readSeasons(zone);
  const week = values.week.replace(/^(\d{4})-?W?(\d{2})$/i, '$1-W$2');
  const season = seasonOfWeek(seasons, week);
  if (!season)
    throw new Error(
      `The season files have no games in week ${values.week}. Weeks with games:\n${listWeeks(seasons)}`,
    );
  return { week, season, players, speed, seed: values.seed };
}

function listWeeks(seasons: readonly Season[]): string {
  const weeks = seasons.flatMap((season) => [...season.weeks.keys()]).toSorted();
  const years = Map.groupBy(weeks, (week) => week.slice(0, 4));
  return [...years].map(([year, of]) => `  ${year}: ${of.map((week) => week.slice(5)).join(' ')}`).join('\n');
}
