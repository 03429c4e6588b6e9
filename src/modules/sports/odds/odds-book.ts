import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { PollLoop } from '../../../platform/jobs/poll-loop.js';
import { Batch } from '../../../platform/redis/batch.js';
import { GameBook, type NumberedGame, type PriceChanges } from './domain/game-book.js';
import type { ChangesMessage } from './game-changes.js';
import { OddsRepository } from './odds.repository.js';

const DAY_MS = 86_400_000;
/** A message is here within this time, or is lost. */
const UNDER_WAY_MS = 500;

/** Who tells the sockets of this process. */
export interface BookReaders {
  /** There is something to tell of a game. */
  changed(game: GameBook): void;
  /** A game has come to a sport or a league that somebody follows. */
  appeared(game: GameBook): void;
  /** Everything that there is to tell is to be told now. */
  flush(): void;
  /** Whether anybody follows it, by itself or, when it is near, by its sport or its league. */
  follows(game: GameBook): boolean;
  /** Sports and leagues that are followed. */
  groups(): { sports: string[]; leagues: string[] };
}

/**
 * The games that sockets of this process follow, as they are. It hears of changes from Redis; where their numbers have a gap, and
 * every few seconds for what was lost, it reads on from Postgres.
 */
@Injectable()
export class OddsBook {
  private readonly logger = new Logger('OddsBook');
  private readonly games = new Map<string, GameBook>();
  /** Games that nobody here follows, so that they are not looked up at each of their changes. */
  private readonly strangers = new LRUCache<string, true>({ max: 20_000, ttl: 60_000 });
  /** Games that are being read, with the latest number heard of meanwhile. */
  private readonly catching = new Map<string, number>();
  private readonly reads = new Batch<string, NumberedGame | null>(async (ids) => {
    const read = await this.repository.numberedGames([...new Set(ids)]);
    const found = new Map(read.map((game) => [game.id, game]));
    return ids.map((id) => found.get(id) ?? null);
  });
  private readonly loop: PollLoop;
  private readers: BookReaders | undefined;

  constructor(
    private readonly repository: OddsRepository,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {
    this.loop = new PollLoop('OddsBook', rules.realtime.odds.pollSeconds * 1000, () => this.poll());
  }

  start(readers: BookReaders): void {
    this.readers = readers;
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  get(id: string): GameBook | undefined {
    return this.games.get(id);
  }

  /** How many of its games meet this. */
  count(which: (game: GameBook) => boolean): number {
    let count = 0;
    for (const game of this.games.values()) if (which(game)) count += 1;
    return count;
  }

  /** Games by their ids, those that there are; each at least as it was at the number of `atLeast`, if it ever was. */
  async open(ids: readonly string[], atLeast: ReadonlyMap<string, number>): Promise<Map<string, GameBook>> {
    const found = await Promise.all(
      ids.map(async (id) => {
        const known = this.games.get(id);
        if (known !== undefined) this.place(known);
        return known !== undefined && known.seq >= (atLeast.get(id) ?? 0) ? known : await this.read(id, true);
      }),
    );
    const games = found.filter((game) => game !== null);
    // Those that nobody follows yet may have been dropped while others were being read.
    for (const game of games) if (!this.games.has(game.id)) this.games.set(game.id, game);
    return new Map(games.map(({ id }) => [id, this.games.get(id) as GameBook]));
  }

  /** The games of these sports and leagues that are followed with them. */
  async idsOf(groups: { sports: readonly string[]; leagues: readonly string[] }): Promise<string[]> {
    const { horizonDays } = this.rules.realtime.odds;
    return await this.repository.followed({ ...groups, horizonDays });
  }

  hear({ prices = [], games = [] }: ChangesMessage): void {
    for (const changes of prices) this.hearPrices(changes);
    for (const id of games) this.catchUp(id);
  }

  private hearPrices(changes: PriceChanges): void {
    const game = this.games.get(changes.gameId);
    const taken = game?.take(changes) ?? 'missing';
    if (taken === 'taken' && game) this.readers?.changed(game);
    if (taken === 'missing') this.catchUp(changes.gameId, changes.seq);
  }

  /** Reads on, once more when something is heard of meanwhile; what goes wrong is made up for by the next poll. */
  private catchUp(id: string, heard = Number.POSITIVE_INFINITY): void {
    if (this.catching.has(id)) {
      this.catching.set(id, Math.max(this.catching.get(id) ?? 0, heard));
      return;
    }
    if (!this.games.has(id) && !this.mayConcern(id)) return;
    this.catching.set(id, 0);
    this.read(id, false).then(
      (game) => {
        const latest = this.catching.get(id) ?? 0;
        this.catching.delete(id);
        if (game !== null && latest > game.seq && this.games.has(id)) this.catchUp(id);
      },
      (error: unknown) => {
        this.catching.delete(id);
        this.logger.warn(error);
      },
    );
  }

  private mayConcern(id: string): boolean {
    if (this.strangers.has(id)) return false;
    const { sports, leagues } = this.readers?.groups() ?? { sports: [], leagues: [] };
    return sports.length > 0 || leagues.length > 0;
  }

  /** What is not to be kept is, all the same, if it belongs to a sport or a league that somebody follows. */
  private async read(id: string, keep: boolean): Promise<GameBook | null> {
    const read = await this.reads.add(id);
    if (read === null) return null;
    const known = this.games.get(id);
    if (known !== undefined) {
      if (known.replace(read)) this.readers?.changed(known);
      this.place(known);
      return known;
    }
    const game = new GameBook(read);
    game.near = this.isNear(game);
    const belongs = this.readers?.follows(game) === true;
    if (keep || belongs) this.games.set(id, game);
    else this.strangers.set(id, true);
    if (belongs) this.readers?.appeared(game);
    return game;
  }

  /** Games come to who follows their sport or league as their start comes near, and go when it is long past. */
  private place(game: GameBook): void {
    const near = this.isNear(game);
    if (near === game.near) return;
    // What is waiting is for those who have followed it until now: among it may be that its start has moved.
    this.readers?.flush();
    game.near = near;
    if (near && this.readers?.follows(game)) this.readers.appeared(game);
  }

  private isNear({ startsAt }: GameBook): boolean {
    const until = Date.parse(startsAt) - this.clock.now().getTime();
    return until >= -DAY_MS && until < this.rules.realtime.odds.horizonDays * DAY_MS;
  }

  private async poll(): Promise<boolean> {
    for (const game of this.games.values()) {
      this.place(game);
      if (!this.readers?.follows(game)) this.games.delete(game.id);
    }
    await this.findLost();
    const groups = this.readers?.groups();
    if (groups && groups.sports.length + groups.leagues.length > 0)
      for (const id of await this.idsOf(groups)) {
        this.strangers.delete(id);
        if (!this.games.has(id)) this.catchUp(id);
      }
    return false;
  }

  /** Reads on where a number is not heard of. What is under way, which at thousands of changes a second is nearly every game's latest, is given time. */
  private async findLost(): Promise<void> {
    if (this.games.size === 0) return;
    const lacks = ({ id, seq }: { id: string; seq: number }) => seq > (this.games.get(id)?.seq ?? seq);
    const ahead = (await this.repository.heads([...this.games.keys()])).filter(lacks);
    if (ahead.length === 0) return;
    await sleep(UNDER_WAY_MS);
    for (const head of ahead.filter(lacks)) this.catchUp(head.id, head.seq);
  }
}
