import type { WireEvent } from './wire.js';

const HOUR_MS = 3_600_000;
/** After its start, until which a game is watched closely. */
const WATCHED_HOURS = 12;
/** Between two looks at games that are watched no longer: one that is played on the next day, a result that is corrected. */
const LATE_LOOK_MS = HOUR_MS;

interface Known {
  readonly startsAt: Date;
  over: boolean;
}

/**
 * Which sports have a game that can have a score, so that the others are not asked for theirs: asking costs credits. Knows what the
 * feed has told since this process began; of a sport that has told nothing yet it takes the worst to be true.
 */
export class BegunGames {
  private readonly sports = new Map<string, Map<string, Known>>();
  private readonly lastLook = new Map<string, Date>();

  constructor(private readonly keptDays: number) {}

  learn(sport: string, events: readonly WireEvent[], now: Date): void {
    const games = this.sports.get(sport) ?? new Map<string, Known>();
    this.sports.set(sport, games);
    for (const { id, startsAt } of events) games.set(id, { startsAt, over: games.get(id)?.over ?? false });
    for (const [id, { startsAt }] of games) if (hours(startsAt, now) > this.keptDays * 24) games.delete(id);
  }

  isOver(sport: string, externalId: string): void {
    const game = this.sports.get(sport)?.get(externalId);
    if (game) game.over = true;
  }

  /** Whether a game goes on, as far as is known. */
  hasLive(sport: string, now: Date): boolean {
    const games = this.sports.get(sport);
    if (!games) return true;
    return [...games.values()].some(({ startsAt, over }) => !over && isWithin(startsAt, now, WATCHED_HOURS));
  }

  /** Whether a result can have come, or changed, since the sport was asked for its results before. */
  hasResults(sport: string, now: Date): boolean {
    const looked = this.lastLook.get(sport);
    if (looked === undefined || this.hasLive(sport, now)) return true;
    if (now.getTime() - looked.getTime() < LATE_LOOK_MS) return false;
    const games = this.sports.get(sport)?.values() ?? [];
    return [...games].some(({ startsAt }) => isWithin(startsAt, now, this.keptDays * 24));
  }

  looked(sport: string, now: Date): void {
    this.lastLook.set(sport, now);
  }
}

function hours(since: Date, now: Date): number {
  return (now.getTime() - since.getTime()) / HOUR_MS;
}

function isWithin(startsAt: Date, now: Date, limit: number): boolean {
  return startsAt <= now && hours(startsAt, now) <= limit;
}
