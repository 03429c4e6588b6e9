import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { DomainError } from '../../../platform/http/domain-error.js';
import type { GameReport } from '../domain/game-report.js';
import { ResultsService } from '../results.service.js';
import { SlateCache } from '../slate-cache.js';
import { SlateIntakeService } from '../slate-intake.service.js';
import { type Fault, gameFault, gamesTwice, resultFault, scoreFault } from './domain/feed-checks.js';
import { reportOfResult, reportOfScore, wordOf } from './domain/feed-words.js';
import { FeedDoubtsService } from './feed-doubts.service.js';
import { FeedOddsService } from './feed-odds.service.js';
import { FeedsRepository, type ScheduledRow, type StandRow } from './feeds.repository.js';
import type { Doubt } from './feeds.types.js';
import type { FeedGame, FeedOdds, FeedResult, FeedScore } from './sports-feed.js';

const BATCH = 200;
const HOUR_MS = 3_600_000;
/** Games that began so long ago cannot be the ones that a schedule tells twice. */
const LOOK_BACK_MS = 48 * HOUR_MS;

/**
 * What feeds say, on its way into the product: checked, and then taken as an import, a price or a report would be. What fails a check is
 * quarantined and goes no further. Nothing is written once `signal` is aborted: another worker may follow the feed by then.
 */
@Injectable()
export class FeedIntakeService {
  constructor(
    private readonly repository: FeedsRepository,
    private readonly doubts: FeedDoubtsService,
    private readonly priced: FeedOddsService,
    private readonly slate: SlateIntakeService,
    private readonly results: ResultsService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
    private readonly cache: SlateCache,
  ) {}

  /** Another worker may have followed the feed meanwhile. */
  forget(source: string): void {
    this.priced.forget(source);
  }

  /** Games that are new or have moved; how many. */
  async schedule(
    source: string,
    told: readonly FeedGame[],
    signal = new AbortController().signal,
  ): Promise<number> {
    const { checks, names } = this.rules.sports;
    const now = this.clock.now();
    const ids = told.map(({ externalId }) => externalId);
    const held = await this.repository.scheduled(source, ids, new Date(now.getTime() - LOOK_BACK_MS));
    const byId = new Map(held.map((row) => [row.external_id, row]));
    const twice = gamesTwice(told, held.map(toHeld), checks);
    const doubts: Doubt[] = [];
    const taken: FeedGame[] = [];
    for (const game of new Map(told.map((one) => [one.externalId, one])).values()) {
      const row = byId.get(game.externalId);
      const known = row === undefined ? null : toKnown(row);
      const fault =
        twice.get(game.externalId) ?? gameFault(game, known, { sports: Object.keys(names), checks, now });
      if (fault) doubts.push(doubtOf('schedule', game.externalId, row?.id ?? null, fault));
      else if (isNews(game, row, now)) taken.push(game);
    }
    await this.doubts.note(source, doubts);
    for (let from = 0; from < taken.length; from += BATCH) {
      signal.throwIfAborted();
      const batch = taken.slice(from, from + BATCH).map((game) => ({ ...game, source, markets: [] }));
      await this.unitOfWork.run(async (manager) => this.slate.take(manager, batch, new Set()));
    }
    if (taken.length > 0) {
      this.cache.clear();
      this.priced.forget(source);
    }
    return taken.length;
  }

  /** Prices as they are now; null: as they were. How many changed. */
  async odds(
    source: string,
    told: readonly FeedOdds[] | null,
    signal = new AbortController().signal,
  ): Promise<number> {
    return await this.priced.take(source, told, signal);
  }

  /** How games stand. Of games that are not known, or are over, nothing is taken. How many were news. */
  async scores(
    source: string,
    told: readonly FeedScore[],
    signal = new AbortController().signal,
  ): Promise<number> {
    return await this.report(source, told, signal, {
      kind: 'score',
      isDue: ({ status }) => status === 'scheduled' || status === 'in_progress',
      faultOf: (score, row) => scoreFault(score, toStand(row), this.context()),
      reportOf: reportOfScore,
    });
  }

  /** How games ended. Of games that are not known nothing is taken. How many were news. */
  async ends(
    source: string,
    told: readonly FeedResult[],
    signal = new AbortController().signal,
  ): Promise<number> {
    return await this.report(source, told, signal, {
      kind: 'result',
      isDue: () => true,
      faultOf: (result, row) => resultFault(result, toStand(row), this.context()),
      reportOf: reportOfResult,
    });
  }

  private async report<Told extends FeedScore | FeedResult>(
    source: string,
    told: readonly Told[],
    signal: AbortSignal,
    as: {
      kind: 'score' | 'result';
      isDue: (row: StandRow) => boolean;
      faultOf: (word: Told, row: StandRow) => Fault | null;
      reportOf: (word: Told) => GameReport;
    },
  ): Promise<number> {
    const ids = told.map(({ externalId }) => externalId);
    const rows = new Map((await this.repository.stands(source, ids)).map((row) => [row.external_id, row]));
    const doubts: Doubt[] = [];
    let news = 0;
    for (const word of told) {
      const row = rows.get(word.externalId);
      if (row === undefined || !as.isDue(row) || row[as.kind] === wordOf(word)) continue;
      signal.throwIfAborted();
      const fault = as.faultOf(word, row) ?? (await this.refusalOf(row, word, as.reportOf(word)));
      if (fault) doubts.push(doubtOf(as.kind, word.externalId, row.id, fault));
      else {
        await this.repository.noteWord(row.id, { [as.kind]: wordOf(word) });
        news += 1;
      }
    }
    await this.doubts.note(source, doubts);
    return news;
  }

  /** Reports it as a feed's word; what the product refuses is a fault of it. */
  private async refusalOf(row: StandRow, word: object, report: GameReport): Promise<Fault | null> {
    try {
      await this.results.report(null, row.id, report, { confirm: 'later' });
      return null;
    } catch (error) {
      if (!(error instanceof DomainError) || error.spec.status >= 500) throw error;
      const reason = error.code === 'RESULT_CLOSED' ? 'RESULT_CLOSED' : 'RESULT_REFUSED';
      return { reason, details: { ...word, refusal: error.code } };
    }
  }

  private context() {
    return { checks: this.rules.sports.checks, now: this.clock.now() };
  }
}

function doubtOf(kind: Doubt['kind'], externalId: string, gameId: string | null, fault: Fault): Doubt {
  return { kind, externalId, gameId, ...fault };
}

/** A game is news when nobody knew it and it has not begun, or when it starts at another time than was told before. */
function isNews(game: FeedGame, row: ScheduledRow | undefined, now: Date): boolean {
  if (row === undefined) return game.startsAt > now;
  return row.status === 'scheduled' && row.told_starts_at.getTime() !== game.startsAt.getTime();
}

function toHeld(row: ScheduledRow) {
  return {
    externalId: row.external_id,
    sport: row.sport,
    homeTeam: row.home_team,
    awayTeam: row.away_team,
    startsAt: row.starts_at,
  };
}

function toKnown(row: ScheduledRow) {
  return {
    ...toHeld(row),
    toldStartsAt: row.told_starts_at,
    begun: row.status !== 'scheduled' && row.status !== 'postponed',
  };
}

/** What a result has to go on from; once there is one, another is a correction, which may take points away. */
function toStand(row: StandRow) {
  const inPlay = row.status === 'scheduled' || row.status === 'in_progress';
  return {
    sport: row.sport,
    startsAt: row.starts_at,
    home: inPlay ? row.home_score : null,
    away: inPlay ? row.away_score : null,
  };
}
