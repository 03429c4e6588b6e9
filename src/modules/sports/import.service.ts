import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { type Price, priceFromAmerican, priceFromDecimal } from './domain/odds.js';
import { GamesRepository } from './games.repository.js';
import { ImportRepository, type PriceToImport } from './import.repository.js';
import type { ImportedGame, ImportedPrice } from './importers/imported-game.js';
import { openSeason, type SeasonProgress } from './importers/read-season-file.js';
import { ResultsService } from './results.service.js';
import { SlateCache } from './slate-cache.js';
import type { ImportReport } from './sports.types.js';

const BATCH = 200;

/** Loads season files. Doing it again adds only what has changed; a bad row is reported and skipped whole. */
@Injectable()
export class ImportService {
  constructor(
    private readonly repository: ImportRepository,
    private readonly games: GamesRepository,
    private readonly results: ResultsService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly cache: SlateCache,
  ) {}

  async isEmpty(): Promise<boolean> {
    return await this.games.isEmpty();
  }

  /** A score in the file counts only for a game that has started by the Clock. Throws SeasonFileError. */
  async importFile(path: string, onProgress?: (progress: SeasonProgress) => void): Promise<ImportReport> {
    const report: ImportReport = { games: 0, added: 0, changed: 0, prices: 0, results: 0, issues: [] };
    let batch: ImportedGame[] = [];
    for await (const row of await openSeason(path, onProgress ? { onProgress } : {})) {
      if ('issue' in row) {
        report.issues.push(row.issue);
        continue;
      }
      batch.push(row.game);
      if (batch.length === BATCH) batch = await this.flush(batch, report);
    }
    await this.flush(batch, report);
    this.cache.clear();
    return report;
  }

  private async flush(batch: ImportedGame[], report: ImportReport): Promise<ImportedGame[]> {
    const [first] = batch;
    if (!first) return [];
    const outcome = await this.unitOfWork.run(async (manager) => {
      const touched = await this.repository.upsertGames(manager, batch.map(toRow));
      const prices = batch.flatMap(toPrices);
      await this.repository.upsertMarkets(manager, prices);
      const stored = await this.repository.insertPrices(manager, prices);
      await this.results.scheduleDeadlines(
        manager,
        touched
          .filter((game) => game.starts_at > this.clock.now())
          .map((game) => ({ id: game.id, startsAt: game.starts_at })),
      );
      return { touched, stored, unplayed: await this.playedOnesWithoutResult(manager, first.source, batch) };
    });
    report.games += batch.length;
    report.added += outcome.touched.filter((game) => game.inserted).length;
    report.changed += outcome.touched.filter((game) => !game.inserted).length;
    report.prices += outcome.stored;
    for (const { id, score } of outcome.unplayed)
      await this.results.report(null, id, { status: 'final', homeScore: score.home, awayScore: score.away });
    report.results += outcome.unplayed.length;
    return [];
  }

  private async playedOnesWithoutResult(
    manager: EntityManager,
    source: string,
    batch: ImportedGame[],
  ): Promise<{ id: string; score: { home: number; away: number } }[]> {
    const now = this.clock.now();
    const played = batch.filter((game) => game.score !== null && game.startsAt <= now);
    const rows = await this.repository.findGames(
      manager,
      source,
      played.map((game) => game.externalId),
    );
    const idOf = new Map(rows.filter((row) => row.status !== 'final').map((row) => [row.external_id, row.id]));
    return played.flatMap(({ externalId, score }) => {
      const id = idOf.get(externalId);
      return id !== undefined && score !== null ? [{ id, score }] : [];
    });
  }
}

function toRow(game: ImportedGame) {
  return {
    id: newId(),
    source: game.source,
    external_id: game.externalId,
    sport: game.sport,
    league: game.league,
    season: game.season,
    home_team: game.homeTeam,
    away_team: game.awayTeam,
    neutral: game.neutral,
    starts_at: game.startsAt.toISOString(),
  };
}

function toPrices(game: ImportedGame): PriceToImport[] {
  return game.markets.flatMap((market) => {
    const marketId = newId();
    return market.prices.map((price) => {
      const exact = exactPrice(price);
      return {
        market_id: marketId,
        odds_id: newId(),
        source: game.source,
        external_id: game.externalId,
        kind: market.kind,
        line: market.line,
        outcome: price.outcome,
        american: price.american ?? null,
        decimal: price.decimal ?? null,
        price_num: String(exact.num),
        price_den: String(exact.den),
      };
    });
  });
}

function exactPrice(price: ImportedPrice): Price {
  if (price.american !== undefined) return priceFromAmerican(price.american);
  return priceFromDecimal(price.decimal ?? '');
}
