import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { newId } from '../../platform/database/ids.js';
import { Rules } from '../../platform/config/rules.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { DomainError } from '../../platform/http/domain-error.js';
import { type Price, priceFromAmerican, priceFromDecimal } from './domain/odds.js';
import { GamesRepository } from './games.repository.js';
import {
  type GameToImport,
  type ImportedGameRow,
  ImportRepository,
  type PriceToImport,
} from './import.repository.js';
import type { ImportedGame, ImportedPrice } from './importers/imported-game.js';
import { openSeason, type SeasonProgress } from './importers/read-season-file.js';
import { ResultsService } from './results.service.js';
import { SlateCache } from './slate-cache.js';
import type { ImportReport } from './sports.types.js';

const BATCH = 200;
const HOUR_MS = 3_600_000;

interface NewResult {
  id: string;
  game: ImportedGame;
  score: { home: number; away: number };
}

/** Loads season files. Doing it again adds only what has changed; a bad row is reported and skipped whole. */
@Injectable()
export class ImportService {
  constructor(
    private readonly repository: ImportRepository,
    private readonly games: GamesRepository,
    private readonly results: ResultsService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
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
      const games = batch.map(toRow);
      const prices = batch.flatMap(toPrices);
      await this.repository.shutGates(manager, games, prices);
      const touched = await this.moveGames(manager, games, batch);
      await this.repository.upsertMarkets(manager, prices);
      const stored = await this.repository.insertPrices(manager, prices);
      return { touched, stored, results: await this.newResults(manager, first.source, batch) };
    });
    report.games += batch.length;
    report.added += outcome.touched.filter((game) => game.inserted).length;
    report.changed += outcome.touched.filter((game) => !game.inserted).length;
    report.prices += outcome.stored;
    for (const result of outcome.results) await this.record(result, report);
    return [];
  }

  /** Games that are new or have changed, with their deadlines; those postponed as if an operator had said so. */
  private async moveGames(
    manager: EntityManager,
    games: GameToImport[],
    batch: ImportedGame[],
  ): Promise<ImportedGameRow[]> {
    const now = this.clock.now().getTime();
    const flexUntil = new Date(now + this.rules.settlement.flexScheduleHours * HOUR_MS);
    const postponed = await this.repository.findPostponed(manager, games, flexUntil);
    const touched = await this.repository.upsertGames(manager, games, flexUntil, postponed);
    // Also those whose result follows, lest one be left without an end if it does not; but not before it can.
    const scored = new Set(this.playedOf(batch).map((game) => game.externalId));
    await this.results.scheduleDeadlines(
      manager,
      touched.map(({ id, external_id, starts_at }) => ({
        id,
        startsAt: starts_at,
        ...(scored.has(external_id) ? { keptUntil: new Date(now + HOUR_MS) } : {}),
      })),
    );
    for (const { id, starts_at } of postponed)
      await this.results.reportIn(manager, null, id, { status: 'postponed', startsAt: starts_at });
    return touched;
  }

  /** A file only adds results: one that contradicts what is recorded is reported, for an admin to decide. */
  private async record({ id, game, score }: NewResult, report: ImportReport): Promise<void> {
    try {
      await this.results.report(null, id, { status: 'final', homeScore: score.home, awayScore: score.away });
      report.results += 1;
    } catch (error) {
      if (!(error instanceof DomainError) || error.spec.status >= 500) throw error;
      report.issues.push({
        line: game.line,
        column: null,
        value: `${score.home}:${score.away}`,
        problem: `the score of ${game.externalId} was not taken over (${error.code}): ${error.message}`,
      });
    }
  }

  private playedOf(batch: ImportedGame[]): ImportedGame[] {
    const now = this.clock.now();
    return batch.filter((game) => game.score !== null && game.startsAt <= now);
  }

  private async newResults(
    manager: EntityManager,
    source: string,
    batch: ImportedGame[],
  ): Promise<NewResult[]> {
    const played = this.playedOf(batch);
    const rows = await this.repository.findResults(
      manager,
      source,
      played.map((game) => game.externalId),
    );
    const stored = new Map(rows.map((row) => [row.external_id, row]));
    return played.flatMap((game) => {
      const row = stored.get(game.externalId);
      const { score } = game;
      if (row === undefined || score === null) return [];
      const known = row.status === 'final' && row.home_score === score.home && row.away_score === score.away;
      return known ? [] : [{ id: row.id, game, score }];
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
