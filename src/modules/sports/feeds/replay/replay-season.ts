import type { ImportedGame } from '../../importers/imported-game.js';
import { openSeason } from '../../importers/read-season-file.js';

/** A game of the past, with its closing prices and how it ended. */
export type ReplayGame = ImportedGame & { readonly score: NonNullable<ImportedGame['score']> };

const DAY_MINUTES = 1440;

/** The games of season files that have an end and prices, in an order in which no two teams meet twice in a day. */
export async function readReplaySeason(
  files: readonly string[],
  everyMinutes: number,
): Promise<ReplayGame[]> {
  const games: ReplayGame[] = [];
  for (const file of files)
    for await (const row of await openSeason(file))
      if ('game' in row && row.game.score !== null && row.game.markets.length > 0)
        games.push({ ...row.game, score: row.game.score });
  if (games.length === 0) throw new Error(`${files.join(', ')}: no game with prices and a score to replay`);
  return apart(games, Math.ceil(DAY_MINUTES / everyMinutes) + 1);
}

/**
 * As they were played, but for those that would come within `distance` of the same teams, the end followed by the beginning: they are
 * put where they do not, if there is such a place.
 */
export function apart<Game extends Pick<ImportedGame, 'homeTeam' | 'awayTeam'>>(
  games: readonly Game[],
  distance: number,
): Game[] {
  const teams = ({ homeTeam, awayTeam }: Game) => [homeTeam, awayTeam].toSorted().join('\n');
  const order: Game[] = [];
  const later: Game[] = [];
  const isNear = (game: Game, from: number, to: number) =>
    order.slice(Math.max(0, from), to).some((other) => teams(other) === teams(game));
  for (const game of games) (isNear(game, order.length - distance, order.length) ? later : order).push(game);
  const meetsAcross = (game: Game, at: number) =>
    at + distance > order.length && isNear(game, 0, at + distance - order.length);
  for (let at = order.length - 1; at >= Math.max(0, order.length - distance); at -= 1) {
    const [game] = order.slice(at, at + 1) as [Game];
    if (meetsAcross(game, at)) later.push(...order.splice(at, 1));
  }
  // Putting one in between brings no others nearer to each other.
  for (const game of later) {
    const places = Array.from({ length: order.length }, (_, at) => order.length - at);
    const free = places.find(
      (at) =>
        !isNear(game, at - distance, at + distance) &&
        !isNear(game, at - distance + order.length, order.length) &&
        !meetsAcross(game, at),
    );
    order.splice(free ?? order.length, 0, game);
  }
  return order;
}
