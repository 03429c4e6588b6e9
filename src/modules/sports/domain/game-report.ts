import { isDeepStrictEqual } from 'node:util';
import type { GameEvent, GameState } from './markets.js';

/** How a game can end. */
export const GAME_ENDS = ['final', 'cancelled', 'abandoned', 'walkover'] as const;
export type GameEnd = (typeof GAME_ENDS)[number];

/** How each end comes about: as the first that is told of the game, or in place of another. */
const END_EVENTS = {
  final: { first: 'finish', correction: 'correct' },
  cancelled: { first: 'cancel', correction: 'correct_to_cancelled' },
  abandoned: { first: 'abandon', correction: 'correct_to_abandoned' },
  walkover: { first: 'award', correction: 'correct_to_walkover' },
} as const satisfies Record<GameEnd, { first: GameEvent; correction: GameEvent }>;

/** What somebody says of a game. `startsAt` is the new start of a postponed one. */
export interface GameReport {
  status: 'in_progress' | 'postponed' | GameEnd;
  homeScore?: number;
  awayScore?: number;
  minutesPlayed?: number;
  /** Scores by period, home before away. Left out: as they were. */
  periods?: readonly (readonly [number, number])[];
  /** Winners by the key of a prop, all that are known. Left out: as they were. */
  props?: Readonly<Record<string, readonly string[]>>;
  startsAt?: Date;
  reason?: string;
}

/** How a game stands. */
export interface Stand {
  homeScore: number | null;
  awayScore: number | null;
  minutesPlayed: number | null;
  periods: [number, number][] | null;
  props: Record<string, string[]> | null;
}

export const NO_STAND: Stand = {
  homeScore: null,
  awayScore: null,
  minutesPlayed: null,
  periods: null,
  props: null,
};

export function isOver(status: GameState): status is GameEnd {
  return (GAME_ENDS as readonly string[]).includes(status);
}

/** What happens to a game in that state when it is said to have ended so. */
export function endEvent(status: GameState, end: GameEnd): GameEvent {
  return END_EVENTS[end][isOver(status) ? 'correction' : 'first'];
}

/**
 * How a game stands by a report. Of one that goes on what is left out is as it was, for it decides if the game is never
 * finished; an end says its own score and minutes. A game that was not played, or counts for nobody, has no stand but
 * the score that a walk-over was given; the winners of its props stay, lest a mistake lose them: nobody would say them again.
 */
export function standOf(before: Stand, report: GameReport): Stand {
  if (report.status === 'cancelled' || report.status === 'postponed')
    return { ...NO_STAND, props: before.props };
  const scores = report.status === 'in_progress' ? before : NO_STAND;
  const periods = report.status === 'walkover' ? null : before.periods;
  return {
    homeScore: report.homeScore ?? scores.homeScore,
    awayScore: report.awayScore ?? scores.awayScore,
    minutesPlayed: report.minutesPlayed ?? scores.minutesPlayed,
    periods: report.periods?.map(([home, away]) => [home, away]) ?? periods,
    props: copyOf(report.props) ?? before.props,
  };
}

/** Whether a game is known to have begun by how it stands, whatever its clock says. */
export function hasStand(game: Stand): boolean {
  return Object.values(stand(game)).some((fact) => fact !== null);
}

/** Whether the game counts. One given up on may lack its scores, whatever was said of its minutes: there is nothing to grade by. */
export function hasAction({
  status,
  homeScore,
  awayScore,
  minutesPlayed,
  actionMinutes,
}: {
  status: GameState;
  homeScore: number | null;
  awayScore: number | null;
  minutesPlayed?: number | null;
  /** Minutes after which the sport's games count; a sport without any has no action. */
  actionMinutes?: number | null;
}): boolean {
  if (status !== 'abandoned') return status === 'final';
  if (homeScore === null || awayScore === null) return false;
  return (
    typeof minutesPlayed === 'number' && typeof actionMinutes === 'number' && minutesPlayed >= actionMinutes
  );
}

/** An end, and how the game stands by it. */
export interface End extends Stand {
  status: GameEnd;
}

/**
 * What a report that ends a game makes of it, and so what two reports have in common that come to the same. One put off to when nobody
 * waits for it any more is cancelled, or stands as it did when it broke off.
 */
export function endOf(game: Stand & { status: GameState }, report: Omit<GameReport, 'startsAt'>): End {
  const { status } = report;
  if (status === 'in_progress') throw new TypeError('a game that goes on has no end');
  if (status !== 'postponed') return { status, ...standOf(game, report) };
  const begun = game.status === 'in_progress' || game.homeScore !== null;
  return { status: begun ? 'abandoned' : 'cancelled', ...stand(game) };
}

/** Whether a report says nothing that is not known of the game. */
export function isKnown(game: Stand & { status: GameState; startsAt: Date }, report: GameReport): boolean {
  if (report.status === 'postponed' && report.startsAt !== undefined)
    return game.status === 'scheduled' && game.startsAt.getTime() === report.startsAt.getTime();
  if (game.status !== report.status) return false;
  return (
    report.status === 'postponed' ||
    report.status === 'cancelled' ||
    isDeepStrictEqual(stand(game), toldOf(game, report))
  );
}

/** How it stands by the report; the minutes of a final decide nothing, and leaving them out says nothing else. */
function toldOf(before: Stand, report: GameReport): Stand {
  const told = standOf(before, report);
  if (report.status !== 'final') return told;
  return { ...told, minutesPlayed: told.minutesPlayed ?? before.minutesPlayed };
}

/** The first score that is missing of a game that was played to its end, or long enough to count. */
export function missingScore(
  status: GameReport['status'],
  { homeScore, awayScore, minutesPlayed }: Stand,
): 'homeScore' | 'awayScore' | null {
  if (status !== 'final' && minutesPlayed === null) return null;
  if (homeScore === null) return 'homeScore';
  return awayScore === null ? 'awayScore' : null;
}

function stand({ homeScore, awayScore, minutesPlayed, periods, props }: Stand): Stand {
  return { homeScore, awayScore, minutesPlayed, periods, props };
}

function copyOf(props: GameReport['props']): Stand['props'] | undefined {
  return props && Object.fromEntries(Object.entries(props).map(([key, winners]) => [key, [...winners]]));
}
