import type { Clock } from '../../../../platform/clock/clock.js';
import type { ImportedGame } from '../../importers/imported-game.js';
import type { FeedProblem } from '../feed-problem.js';
import type { FeedGame, FeedOdds, FeedResult, FeedScore, SportsFeed } from '../sports-feed.js';
import { SeasonFolder } from './season-folder.js';

/** Games that began longer ago are history: nothing is told of them any more. */
const KEPT_MS = 30 * 86_400_000;
/** What has not changed is told so often all the same, lest something be lost that could not be stored. */
const AGAIN_MS = 60_000;

type Kind = 'schedule' | 'odds' | 'results';

/**
 * The season files of a folder as a feed: the games, odds and scores that somebody else's program writes there, in the formats that
 * can be imported. A score counts once its game has begun by the Clock; files have none of a game that goes on.
 */
export class CsvFeed implements SportsFeed {
  readonly source = 'csv';
  private readonly folder: SeasonFolder;
  /** What each kind of question was answered by last. */
  private readonly told = new Map<Kind, { version: number; at: number }>();

  constructor(
    folder: string,
    private readonly clock: Clock,
  ) {
    this.folder = new SeasonFolder(folder);
  }

  begin(): void {
    this.told.clear();
  }

  async schedule(): Promise<readonly FeedGame[] | null> {
    const games = await this.news('schedule');
    return games?.filter((game) => !this.isHistory(game)).map(toFeedGame) ?? null;
  }

  async odds(): Promise<readonly FeedOdds[] | null> {
    const games = await this.news('odds');
    const now = this.clock.now();
    return (
      games
        ?.filter(({ startsAt }) => startsAt > now)
        .map(({ externalId, markets }) => ({ externalId, markets })) ?? null
    );
  }

  async scores(): Promise<readonly FeedScore[]> {
    await this.folder.read();
    return [];
  }

  async results(): Promise<readonly FeedResult[] | null> {
    const games = await this.news('results');
    const now = this.clock.now();
    return (
      games?.flatMap(({ externalId, startsAt, score }) =>
        score === null || startsAt > now || this.isHistory({ startsAt })
          ? []
          : [{ externalId, status: 'final' as const, home: score.home, away: score.away }],
      ) ?? null
    );
  }

  problems(): readonly FeedProblem[] {
    return this.folder.problems();
  }

  /** Null when no file has changed and it was told a while ago at most. Of odds alone null is the last answer again. */
  private async news(kind: Kind): Promise<readonly ImportedGame[] | null> {
    const { version, games } = await this.folder.read();
    const before = this.told.get(kind);
    const now = this.clock.now().getTime();
    if (before?.version === version && Math.abs(now - before.at) < AGAIN_MS) return null;
    this.told.set(kind, { version, at: now });
    return games;
  }

  private isHistory({ startsAt }: Pick<ImportedGame, 'startsAt'>): boolean {
    return this.clock.now().getTime() - startsAt.getTime() > KEPT_MS;
  }
}

function toFeedGame(game: ImportedGame): FeedGame {
  const { externalId, sport, league, season, homeTeam, awayTeam, startsAt, neutral } = game;
  return { externalId, sport, league, season, homeTeam, awayTeam, startsAt, neutral };
}
