import type { FeedProblem } from '../feed-problem.js';
import type { FeedResult, FeedScore } from '../sports-feed.js';
import { isObject, listOf, type WireEvent } from './wire.js';

export type ReadScore =
  { readonly score: FeedScore } | { readonly result: FeedResult } | { readonly problem: FeedProblem } | null;

/** How an event stands or ended; null before it begins, when there are no scores. */
export function readScore(event: WireEvent): ReadScore {
  const completed = event.rest['completed'] === true;
  const scores = event.rest['scores'];
  if (scores === null || scores === undefined)
    return completed ? problem(event, 'SCORE_INCOMPLETE', 'completed without a score') : null;
  const points = new Map<string, number>();
  for (const entry of listOf(scores)) {
    // Scores are strings; `null` and '' stand there while a game is about to begin.
    const text = isObject(entry) ? entry['score'] : undefined;
    const name = isObject(entry) ? entry['name'] : undefined;
    if (typeof name !== 'string') return problem(event, 'UNREADABLE', 'a score of nobody');
    if (name !== event.homeTeam && name !== event.awayTeam)
      return problem(event, 'TEAM_UNKNOWN', 'a score of neither');
    if (text === null || text === '') continue;
    if (typeof text !== 'string' || !/^\d{1,3}$/.test(text) || points.has(name))
      return problem(event, 'UNREADABLE', 'a score that is no number');
    points.set(name, Number(text));
  }
  const [home, away] = [points.get(event.homeTeam), points.get(event.awayTeam)];
  if (home === undefined || away === undefined) {
    const isQuiet = !completed && points.size === 0;
    return isQuiet ? null : problem(event, 'SCORE_INCOMPLETE', 'one score of two');
  }
  const stand = { externalId: event.id, home, away };
  return completed ? { result: { ...stand, status: 'final' } } : { score: stand };
}

function problem(event: WireEvent, reason: FeedProblem['reason'], said: string): ReadScore {
  return { problem: { kind: 'score', externalId: event.id, subject: 'score', reason, details: { said } } };
}
