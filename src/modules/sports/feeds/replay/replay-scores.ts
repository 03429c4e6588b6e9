import type { ReplayGame } from './replay-season.js';
import { chance } from './seeded.js';

/** How a sport is played: its periods, and what can be scored at once, the likelier the more often it stands here. */
const WAYS = {
  american_football: { periods: 4, minutes: 15, overtime: 10, plays: [7, 7, 7, 3, 3, 6, 8] },
  soccer: { periods: 2, minutes: 45, overtime: 30, plays: [1] },
  other: { periods: 4, minutes: 12, overtime: 5, plays: [2, 2, 3, 1] },
} as const;
type Way = (typeof WAYS)[keyof typeof WAYS];

const HOME = 0;
const AWAY = 1;
type Side = typeof HOME | typeof AWAY;

interface Play {
  readonly side: Side;
  readonly points: number;
  /** Of play, from 0. */
  readonly minute: number;
}

export interface ReplayStand {
  readonly home: number;
  readonly away: number;
  readonly periods: readonly (readonly [number, number])[];
  readonly minutesPlayed: number;
}

/** How a game stands when so much of it, 0 to 1, has been played. The end is as it really was; the way there is made up, by its seed. */
export function standAfter(game: ReplayGame, slot: number, played: number): ReplayStand {
  const way: Way = WAYS[game.sport as keyof typeof WAYS] ?? WAYS.other;
  const regulation = way.periods * way.minutes;
  const length = regulation + (game.score.overtime ? way.overtime : 0);
  const minutesPlayed = Math.min(length, Math.floor(Math.max(0, played) * length));
  const over = played >= 1;
  const plays = playsOf(game, slot, way).filter(({ minute }) => over || minute < minutesPlayed);
  const begun = over ? length : minutesPlayed;
  const count = Math.min(
    way.periods + (begun > regulation ? 1 : 0),
    Math.max(1, Math.ceil(begun / way.minutes)),
  );
  const periods = Array.from(
    { length: over ? periodsOf(game, way) : count },
    (_, period): [number, number] => [sumOf(plays, HOME, period, way), sumOf(plays, AWAY, period, way)],
  );
  return {
    home: periods.reduce((sum, [home]) => sum + home, 0),
    away: periods.reduce((sum, [, away]) => sum + away, 0),
    periods,
    minutesPlayed,
  };
}

function periodsOf(game: ReplayGame, way: Way): number {
  return way.periods + (game.score.overtime ? 1 : 0);
}

function sumOf(plays: readonly Play[], side: Side, period: number, way: Way): number {
  const isIn = ({ minute }: Play) => Math.min(way.periods, Math.floor(minute / way.minutes)) === period;
  return plays
    .filter((play) => play.side === side && isIn(play))
    .reduce((sum, { points }) => sum + points, 0);
}

/** A game that went to overtime was level before it. */
function playsOf(game: ReplayGame, slot: number, way: Way): Play[] {
  const { home, away, overtime } = game.score;
  const regulation = way.periods * way.minutes;
  const level = Math.min(home, away);
  const sides: [Side, number][] = [
    [HOME, overtime ? level : home],
    [AWAY, overtime ? level : away],
  ];
  const plays = sides.flatMap(([side, points]) =>
    parts(points, slot, side, way).map((part, index) => ({
      side,
      points: part,
      minute: Math.floor(chance(slot, side, index, 2) * regulation),
    })),
  );
  if (overtime && home !== away)
    plays.push({
      side: home > away ? HOME : AWAY,
      points: Math.abs(home - away),
      minute: regulation + Math.floor(chance(slot, 3) * way.overtime),
    });
  return plays;
}

/** Points as the sum of what can be scored at once; what is left in the end is one play, whatever it is. */
function parts(points: number, slot: number, side: Side, way: Way): number[] {
  const found: number[] = [];
  const least = Math.min(...way.plays);
  for (let left = points; left > 0;) {
    const fit = way.plays.filter((play) => left === play || left - play >= least);
    const part = fit[Math.floor(chance(slot, side, found.length, 1) * fit.length)] ?? left;
    found.push(part);
    left -= part;
  }
  return found;
}
