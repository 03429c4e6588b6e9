import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { DomainError } from '../../platform/http/domain-error.js';
import { marketFault } from './feeds/domain/feed-checks.js';
import { GamesRepository } from './games.repository.js';
import { ImportRepository } from './import.repository.js';
import type { ImportedGame } from './importers/imported-game.js';
import { openSeason, type SeasonProgress } from './importers/read-season-file.js';
import { ResultsService } from './results.service.js';
import { SlateCache } from './slate-cache.js';
import { SlateIntakeService } from './slate-intake.service.js';
import type { ImportReport } from './sports.types.js';

const BATCH = 200;

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
    private readonly slate: SlateIntakeService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly cache: SlateCache,
    private readonly rules: Rules,
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
      batch.push(this.plausible(row.game, report));
      if (batch.length === BATCH) batch = await this.flush(batch, report);
    }
    await this.flush(batch, report);
    this.cache.clear();
    return report;
  }

  /** Without the markets that are reported, since they cannot be right: what an operator loads is held to what a feed is. */
  private plausible(game: ImportedGame, report: ImportReport): ImportedGame {
    const markets = game.markets.filter((market) => {
      const fault = marketFault(game.sport, market, this.rules.sports.checks);
      if (fault === null) return true;
      report.issues.push({
        line: game.line,
        column: null,
        value: market.prices.map(({ american, decimal }) => american ?? decimal).join('/'),
        problem: `the ${market.kind} market of ${game.externalId} was left out (${fault.reason})`,
      });
      return false;
    });
    return { ...game, markets };
  }

  private async flush(batch: ImportedGame[], report: ImportReport): Promise<ImportedGame[]> {
    const [first] = batch;
    if (!first) return [];
    const outcome = await this.unitOfWork.run(async (manager) => {
      const ended = new Set(this.playedOf(batch).map((game) => game.externalId));
      const { touched, prices } = await this.slate.take(manager, batch, ended);
      return { touched, prices, results: await this.newResults(manager, first.source, batch) };
    });
    report.games += batch.length;
    report.added += outcome.touched.filter((game) => game.inserted).length;
    report.changed += outcome.touched.filter((game) => !game.inserted).length;
    report.prices += outcome.prices;
    for (const result of outcome.results) await this.record(result, report);
    return [];
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
