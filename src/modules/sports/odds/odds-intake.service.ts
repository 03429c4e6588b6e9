import { Injectable } from '@nestjs/common';
import { restarted } from '../../../platform/database/restarted.js';
import { newId } from '../../../platform/database/ids.js';
import { decimalOf, type Price, priceFromAmerican, priceFromDecimal } from '../domain/odds.js';
import type { PriceChanges } from './domain/game-book.js';
import { GameChanges } from './game-changes.js';
import { OddsRepository, type PriceRow, type TakenRow } from './odds.repository.js';

/** A price of an outcome as its feed says it: `american` or `decimal` (exact text), never both. */
export interface PriceTaken {
  readonly gameId: string;
  readonly marketId: string;
  readonly outcome: string;
  readonly american: number | null;
  readonly decimal: string | null;
}

/** Prices that one call takes: it holds the heads of their games until its commit. */
const LARGEST_CALL = 1000;

/** Takes prices of markets that are known, as feeds and operators say them; sockets hear of what has changed. */
@Injectable()
export class OddsIntakeService {
  constructor(
    private readonly repository: OddsRepository,
    private readonly changes: GameChanges,
  ) {}

  /**
   * Stores what has changed, and that the feed has spoken of `freshGames` just now, changed or not; how many prices changed. Of
   * several prices of one outcome the last counts. Throws RangeError on what is no price; then nothing is taken.
   */
  async take(prices: readonly PriceTaken[], freshGames: readonly string[]): Promise<number> {
    const rows = prices.map(rowOf);
    let stored = 0;
    for (let from = 0; from === 0 || from < rows.length; from += LARGEST_CALL) {
      const call = rows.slice(from, from + LARGEST_CALL);
      // An import locks the heads of what it moves in its own order, and may be in the way.
      const taken = await restarted(async () => this.repository.take(call, from === 0 ? freshGames : []));
      stored += taken.length;
      if (taken.length > 0) this.changes.publish({ prices: changesOf(call, taken) });
    }
    return stored;
  }
}

function rowOf({ gameId, marketId, outcome, american, decimal }: PriceTaken): PriceRow {
  const price: Price = american === null ? priceFromDecimal(decimal ?? '') : priceFromAmerican(american);
  return { gameId, marketId, outcome, american, decimal, oddsId: newId(), price };
}

function changesOf(rows: readonly PriceRow[], taken: readonly TakenRow[]): PriceChanges[] {
  const games = Map.groupBy(
    taken.map(({ place, seq }) => ({ seq: Number(seq), row: rows[place - 1] as PriceRow })),
    ({ row }) => row.gameId,
  );
  return [...games].map(([gameId, moved]) => ({
    gameId,
    seq: moved[0]?.seq ?? 0,
    prices: moved.map(({ row: { marketId, outcome, oddsId, american, price } }) => ({
      marketId,
      outcome,
      oddsId,
      american,
      decimal: decimalOf(price),
    })),
  }));
}
