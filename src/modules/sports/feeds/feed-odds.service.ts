import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { GameChanges } from '../odds/game-changes.js';
import { OddsIntakeService, type PriceTaken } from '../odds/odds-intake.service.js';
import type { OfferedMarkets } from '../offered-game.js';
import { SlateCache } from '../slate-cache.js';
import { SlateIntakeService } from '../slate-intake.service.js';
import { marketFaults } from './domain/feed-checks.js';
import { differenceOf, nothingOf, type OddsDifference } from './domain/known-prices.js';
import { FeedBook, type KnownGame } from './feed-book.js';
import { FeedDoubtsService } from './feed-doubts.service.js';
import { FeedsRepository } from './feeds.repository.js';
import type { Doubt } from './feeds.types.js';
import type { FeedMarket, FeedOdds } from './sports-feed.js';

/** What is held in memory is read anew so often: an operator may have changed it. */
const READ_AGAIN_MS = 30_000;
/** A game is told to be fresh this often while its prices stay as they are; far more often than it would be stale. */
const FRESH_MS = 10_000;
const BATCH = 200;
/** Prices that are stored between two looks at whether the feed is still ours. */
const PRICES_AT_A_TIME = 1000;

interface Taken {
  readonly game: KnownGame;
  readonly difference: OddsDifference;
}

/**
 * Odds of feeds: unchanged prices cost nothing but a look into memory, changed ones one statement a thousand, and only markets that are
 * new, moved or gone go the way of an import.
 */
@Injectable()
export class FeedOddsService {
  private readonly books = new Map<string, FeedBook>();

  constructor(
    private readonly repository: FeedsRepository,
    private readonly doubts: FeedDoubtsService,
    private readonly slate: SlateIntakeService,
    private readonly prices: OddsIntakeService,
    private readonly changes: GameChanges,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
    private readonly cache: SlateCache,
  ) {}

  /** What is held of a feed's games may be old: games came in. */
  outdate(source: string): void {
    this.books.get(source)?.outdate();
  }

  /** So is its last answer: somebody else may have followed the feed. */
  forget(source: string): void {
    this.books.get(source)?.forget();
  }

  /** Suspends what a feed offers of games that have begun before their start by what it says. */
  async shut(source: string, externalIds: readonly string[]): Promise<void> {
    if (externalIds.length === 0) return;
    const book = this.bookOf(source);
    if (externalIds.some((id) => book.game(id)?.doubted === false)) book.outdate();
    const open = await this.repository.openMarkets(source, externalIds);
    await this.store(
      book,
      open.map((row) => row.game_id),
      { withdrawn: [], dropped: [], doubted: open.flatMap((row) => row.market_ids) },
    );
  }

  /** Takes an answer; null is the last one again. How many prices were stored. Nothing is written once `signal` is aborted. */
  async take(source: string, told: readonly FeedOdds[] | null, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    const book = this.bookOf(source);
    const answer = book.answer(told);
    await this.refresh(book);
    const { taken, doubts } = this.compare(book, answer);
    const shut = book.doubted().map((game) => ({ game, difference: nothingOf(game) }));
    signal.throwIfAborted();
    await this.suspend(book, [...taken, ...shut]);
    await this.doubts.note(source, doubts);
    const moved = taken.flatMap(({ game, difference }) =>
      difference.moved.length > 0 ? [{ source, externalId: game.externalId, markets: difference.moved }] : [],
    );
    signal.throwIfAborted();
    const stored = await this.move(book, moved);
    return stored + (await this.price(book, taken, signal));
  }

  private bookOf(source: string): FeedBook {
    const book = this.books.get(source) ?? new FeedBook(source);
    this.books.set(source, book);
    return book;
  }

  /**
   * All that is known once in a while, and what waits for a fresh price at every answer: also what was held to wait and does so no
   * longer, for an operator has opened it.
   */
  private async refresh(book: FeedBook): Promise<void> {
    const now = this.clock.now().getTime();
    if (book.isOlderThan(now, READ_AGAIN_MS)) {
      book.readAll(await this.repository.knownGames(book.source, null), now);
      return;
    }
    const waiting = new Set([
      ...(await this.repository.waitingGames(book.source)),
      ...book.waiting(this.clock.now()),
    ]);
    if (waiting.size > 0) book.read(await this.repository.knownGames(book.source, [...waiting]));
  }

  private compare(book: FeedBook, answer: readonly FeedOdds[]): { taken: Taken[]; doubts: Doubt[] } {
    const now = this.clock.now();
    const taken: Taken[] = [];
    const doubts: Doubt[] = [];
    const times = Map.groupBy(answer, ({ externalId }) => externalId);
    for (const [externalId, offers] of times) {
      const game = book.game(externalId);
      if (game === undefined || game.startsAt <= now || game.doubted) continue;
      const doubt = (reason: Doubt['reason'], details: Doubt['details']) =>
        doubts.push({ kind: 'odds', externalId, gameId: game.gameId, reason, details });
      const [{ markets }] = offers as [FeedOdds];
      const names = new Set<string>();
      if (offers.length > 1) {
        doubt('GAME_TWICE', { times: offers.length });
        for (const { name } of game.markets) names.add(name);
      }
      for (const { market, reason, details } of marketFaults(game.sport, markets, this.rules.sports.checks)) {
        names.add(market);
        if (offers.length === 1) doubt(reason, { markets: [{ market, ...details }] });
      }
      const offered: readonly FeedMarket[] = offers.length > 1 ? [] : markets;
      taken.push({ game, difference: differenceOf(game, offered, names) });
    }
    return { taken, doubts };
  }

  /**
   * What is not offered any longer is as if its line had moved; what is doubted waits for a price that is not; an outcome that is
   * missing in what is offered has no price until it gets one.
   */
  private async suspend(book: FeedBook, taken: readonly Taken[]): Promise<void> {
    const shut = taken.filter(
      ({ difference: { withdrawn, doubted, dropped } }) =>
        withdrawn.length + doubted.length + dropped.length > 0,
    );
    await this.store(
      book,
      shut.map(({ game }) => game.gameId),
      {
        withdrawn: shut.flatMap(({ difference }) => difference.withdrawn),
        doubted: shut.flatMap(({ difference }) => difference.doubted),
        dropped: shut.flatMap(({ difference }) => difference.dropped),
      },
    );
    for (const { game, difference } of shut) {
      game.suspended(difference.withdrawn, 'line_moved');
      game.suspended(difference.doubted, 'feed_stale');
      game.dropped(difference.dropped);
    }
  }

  /** What was not there any more to be changed, of a game that is put off for example, is otherwise than it is held. */
  private async store(
    book: FeedBook,
    games: readonly string[],
    { withdrawn, doubted, dropped }: Pick<OddsDifference, 'withdrawn' | 'doubted' | 'dropped'>,
  ): Promise<void> {
    if (games.length === 0) return;
    const changed = await this.unitOfWork.run(async (manager) => {
      await this.repository.shutGames(manager, games);
      const told = [
        ...(await this.repository.suspend(manager, withdrawn, 'line_moved')),
        ...(await this.repository.suspend(manager, doubted, 'feed_stale')),
        ...(await this.repository.withdraw(manager, dropped)),
      ];
      this.changes.told(manager, ...new Set(told));
      return told.length;
    });
    const losing = new Set(dropped.map(({ marketId }) => marketId));
    if (changed < withdrawn.length + doubted.length + losing.size) book.outdate();
    this.cache.clear();
  }

  private async move(book: FeedBook, moved: readonly OfferedMarkets[]): Promise<number> {
    let stored = 0;
    for (let from = 0; from < moved.length; from += BATCH) {
      const batch = moved.slice(from, from + BATCH);
      stored += await this.unitOfWork.run(async (manager) => this.slate.takeMarkets(manager, batch));
      book.read(
        await this.repository.knownGames(
          book.source,
          batch.map(({ externalId }) => externalId),
        ),
      );
    }
    if (moved.length > 0) this.cache.clear();
    return stored;
  }

  private async price(book: FeedBook, taken: readonly Taken[], signal: AbortSignal): Promise<number> {
    const now = this.clock.now().getTime();
    const fresh = taken.filter(
      ({ game, difference }) =>
        difference.prices.length > 0 || Math.abs(now - (book.freshAt.get(game.gameId) ?? 0)) >= FRESH_MS,
    );
    let stored = 0;
    for (const part of partsOf(fresh)) {
      signal.throwIfAborted();
      const changed: PriceTaken[] = part.flatMap(({ difference }) => difference.prices);
      stored += await this.prices.take(
        changed,
        part.map(({ game }) => game.gameId),
      );
      for (const { game } of part) book.freshAt.set(game.gameId, now);
      for (const price of changed) book.priced(price);
    }
    return stored;
  }
}

/** Games with about as many prices as are stored at a time: a game is fresh with the prices that it has, not before. */
function partsOf(taken: readonly Taken[]): Taken[][] {
  const parts: Taken[][] = [];
  let room = 0;
  for (const one of taken) {
    const { length } = one.difference.prices;
    if (parts.length === 0 || length > room) {
      parts.push([]);
      room = PRICES_AT_A_TIME;
    }
    parts.at(-1)?.push(one);
    room -= length;
  }
  return parts;
}
