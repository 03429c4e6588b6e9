import type { CheckRules } from '../../../../platform/config/sport-rules.js';
import type { FeedGame } from '../sports-feed.js';
import { boundsOf, type Fault } from './feed-checks.js';

/** A game as it is held. */
export interface HeldGame extends Pick<
  FeedGame,
  'externalId' | 'sport' | 'homeTeam' | 'awayTeam' | 'startsAt'
> {
  /** It is not played, or nobody knows when: the same teams may meet under another id. */
  readonly off?: boolean;
}

/**
 * Of games of one answer and those that are held: which are there twice, by their ids. The one that is held stays, unless it is off,
 * and so does the first of an answer; an id that comes twice in an answer is believed neither time.
 */
export function gamesTwice(
  told: readonly FeedGame[],
  held: readonly HeldGame[],
  checks: CheckRules,
): Map<string, Fault> {
  const faults = new Map<string, Fault>();
  const seen = new Set<string>();
  for (const { externalId } of told) {
    if (seen.has(externalId)) faults.set(externalId, { reason: 'GAME_TWICE', details: { sameId: true } });
    seen.add(externalId);
  }
  const known = new Set(held.map(({ externalId }) => externalId));
  const byTeams = new Map<string, { externalId: string; startsAt: number }[]>();
  const teams = (game: Pick<FeedGame, 'homeTeam' | 'awayTeam'>) =>
    [game.homeTeam, game.awayTeam].toSorted().join('\n');
  const toldNow = new Map(told.map((game) => [game.externalId, game]));
  for (const game of [
    ...held.filter(({ off }) => off !== true),
    ...told.filter(({ externalId }) => !known.has(externalId)),
  ]) {
    const startsAt = (toldNow.get(game.externalId) ?? game).startsAt.getTime();
    const others = byTeams.get(teams(game)) ?? [];
    const other = others.find(
      (one) =>
        one.externalId !== game.externalId &&
        Math.abs(one.startsAt - startsAt) < boundsOf(game.sport, checks).sameTeamsHours * 3_600_000,
    );
    if (other === undefined) byTeams.set(teams(game), [...others, { externalId: game.externalId, startsAt }]);
    else if (!known.has(game.externalId) && !faults.has(game.externalId))
      faults.set(game.externalId, { reason: 'GAME_TWICE', details: { sameAs: other.externalId } });
  }
  return faults;
}
