import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { type GameToImport, type ImportedGameRow, ImportRepository } from './import.repository.js';
import { GameDeadlinesService } from './game-deadlines.service.js';
import { MarketVoidsService } from './market-voids.service.js';
import { GameChanges } from './odds/game-changes.js';
import { type OfferedGame, type OfferedMarkets, toGameRow, toPriceRows } from './offered-game.js';
import { ResultsService } from './results.service.js';

const HOUR_MS = 3_600_000;

export interface SlateTaken {
  /** Games that are new or have changed. */
  readonly touched: readonly ImportedGameRow[];
  /** Prices that were stored. */
  readonly prices: number;
}

/** The one way in which games, markets and moved lines come into the product, be it from files or from feeds. */
@Injectable()
export class SlateIntakeService {
  constructor(
    private readonly repository: ImportRepository,
    private readonly results: ResultsService,
    private readonly deadlines: GameDeadlinesService,
    private readonly clock: Clock,
    private readonly rules: Rules,
    private readonly changes: GameChanges,
    private readonly voids: MarketVoidsService,
  ) {}

  /**
   * Adds games that are new and takes over what has changed of those not begun, with their markets. Those in `ended` have a result
   * that follows: none of them is given up for an hour. A start that is put off shortly before it counts at once when a file says so,
   * and when nobody takes it back for a while (`confirm: 'later'`) when a feed does.
   */
  async take(
    manager: EntityManager,
    batch: readonly OfferedGame[],
    ended: ReadonlySet<string>,
    confirm: 'now' | 'later' = 'now',
  ): Promise<SlateTaken> {
    const games = batch.map(toGameRow);
    const prices = batch.flatMap(toPriceRows);
    await this.repository.shutGates(manager, games, prices);
    for (const id of await this.repository.findTakenBack(manager, games))
      await this.results.reinstateIn(manager, id);
    const touched = await this.moveGames(manager, games, ended, confirm);
    await this.repository.upsertMarkets(manager, prices, false);
    const stored = await this.repository.insertPrices(manager, prices);
    this.changes.told(manager, ...touched.map(({ id }) => id));
    return { touched, prices: stored };
  }

  /** Markets that a feed offers anew, with another line or again, of games that are known. How many prices were stored. */
  async takeMarkets(manager: EntityManager, batch: readonly OfferedMarkets[]): Promise<number> {
    const games = batch.map(({ source, externalId }) => ({
      source,
      external_id: externalId,
      starts_at: null,
    }));
    const prices = batch.flatMap(toPriceRows);
    const known = await this.repository.shutGates(manager, games, prices);
    await this.repository.upsertMarkets(manager, prices, true);
    const stored = await this.repository.insertPrices(manager, prices);
    await this.repository.freshen(manager, known);
    this.changes.told(manager, ...known);
    return stored;
  }

  /** Games that are new or have changed, with their deadlines; those postponed as if an operator had said so. */
  private async moveGames(
    manager: EntityManager,
    games: GameToImport[],
    ended: ReadonlySet<string>,
    confirm: 'now' | 'later',
  ): Promise<ImportedGameRow[]> {
    const now = this.clock.now().getTime();
    const flexUntil = new Date(now + this.rules.settlement.flexScheduleHours * HOUR_MS);
    const postponed = await this.repository.findPostponed(manager, games, flexUntil);
    const touched = await this.repository.upsertGames(manager, games, flexUntil, postponed);
    const known = touched.filter(({ inserted }) => !inserted).map(({ id }) => id);
    if (known.length > 0) await this.voids.forget(manager, ...known);
    // Also those whose result follows, lest one be left without an end if it does not; but not before it can.
    await this.deadlines.schedule(
      manager,
      touched.map(({ id, external_id, starts_at }) => ({
        id,
        startsAt: starts_at,
        ...(ended.has(external_id) ? { keptUntil: new Date(now + HOUR_MS) } : {}),
      })),
    );
    for (const { id, starts_at } of postponed)
      await this.results.reportIn(
        manager,
        null,
        id,
        { status: 'postponed', startsAt: starts_at },
        { confirm },
      );
    return touched;
  }
}
