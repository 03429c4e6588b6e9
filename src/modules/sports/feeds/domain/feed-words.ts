import type { GameReport } from '../../domain/game-report.js';
import type { FeedResult, FeedScore } from '../sports-feed.js';

/** Minutes of play are told in steps of so many: each is a row of the audit log. */
const MINUTES_STEP = 5;

/** A score as a report of it. */
export function reportOfScore(score: FeedScore): GameReport {
  return {
    status: 'in_progress',
    homeScore: score.home,
    awayScore: score.away,
    ...(score.minutesPlayed === undefined ? {} : { minutesPlayed: score.minutesPlayed }),
    ...(score.periods === undefined ? {} : { periods: score.periods }),
  };
}

/** A result as a report of it. */
export function reportOfResult(result: FeedResult): GameReport {
  const { status, home, away, minutesPlayed, periods, startsAt, props } = result;
  return {
    status,
    ...(home === undefined ? {} : { homeScore: home }),
    ...(away === undefined ? {} : { awayScore: away }),
    ...(minutesPlayed === undefined ? {} : { minutesPlayed }),
    ...(periods === undefined ? {} : { periods }),
    ...(startsAt === undefined ? {} : { startsAt }),
    ...(props === undefined ? {} : { props }),
  };
}

/** What a feed says, as text: the same for the same word. */
export function wordOf(word: FeedScore | FeedResult): string {
  const { minutesPlayed = null, ...rest } = word;
  const ends = 'status' in word;
  const minutes =
    minutesPlayed === null || ends ? minutesPlayed : minutesPlayed - (minutesPlayed % MINUTES_STEP);
  return JSON.stringify({ ...rest, minutes }, (_, value: unknown) => sorted(value));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
