import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { DomainError } from '../../../platform/http/domain-error.js';
import type { GameReport } from '../domain/game-report.js';
import { ResultsService } from '../results.service.js';
import { SlateCache } from '../slate-cache.js';
import { SlateIntakeService } from '../slate-intake.service.js';
import { type Fault, gameFault, resultFault, scoreFault } from './domain/feed-checks.js';
import { reportOfResult, reportOfScore, wordOf } from './domain/feed-words.js';
import { gamesTwice } from './domain/games-twice.js';
import { FeedDoubtsService } from './feed-doubts.service.js';
import { FeedOddsService } from './feed-odds.service.js';
import { FeedWordsRepository, type ScheduledRow, type StandRow } from './feed-words.repository.js';
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
    private readonly repository: FeedWordsRepository,
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
    const moved: { id: string; game: FeedGame }[] = [];
    for (const game of new Map(told.map((one) => [one.externalId, one])).values()) {
      const row = byId.get(game.externalId);
      const known = row === undefined ? null : toKnown(row);
      const fault =
        twice.get(game.externalId) ?? gameFault(game, known, { sports: Object.keys(names), checks, now });
      if (fault) doubts.push(doubtOf('schedule', game.externalId, row?.id ?? null, fault));
      else if (row?.status === 'postponed' && isMoved(game, row)) moved.push({ id: row.id, game });
      else if (isNews(game, row, now)) taken.push(game);
    }
    for (const { id, game } of moved) {
      signal.throwIfAborted();
      const fault = await this.refusalOf(game, async () => this.resume(id, game.startsAt));
      if (fault) doubts.push(doubtOf('schedule', game.externalId, id, fault));
    }
    await this.note(source, doubts);
    for (let from = 0; from < taken.length; from += BATCH) {
      signal.throwIfAborted();
      const batch = taken.slice(from, from + BATCH).map((game) => ({ ...game, source, markets: [] }));
      await this.unitOfWork.run(async (manager) => this.slate.take(manager, batch, new Set(), 'later'));
    }
    if (taken.length + moved.length > 0) {
      this.cache.clear();
      this.priced.outdate(source);
    }
    return taken.length + moved.length;
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
    // Of one game: those behind it are not to wait for it.
    const failures: unknown[] = [];
    for (const word of told) {
      const row = rows.get(word.externalId);
      if (row === undefined || !as.isDue(row) || row[as.kind] === wordOf(word)) continue;
      signal.throwIfAborted();
      try {
        const report = async () => this.results.report(null, row.id, as.reportOf(word), { confirm: 'later' });
        const fault = as.faultOf(word, row) ?? (await this.refusalOf(word, report));
        if (fault) doubts.push(doubtOf(as.kind, word.externalId, row.id, fault));
        else {
          await this.repository.noteWord(row.id, { [as.kind]: wordOf(word) });
          news += 1;
        }
      } catch (error) {
        failures.push(error);
      }
    }
    await this.note(source, doubts);
    if (failures.length > 0) throw failures[0];
    return news;
  }

  /** Also shuts the games that have begun before their start by what is doubted. */
  private async note(source: string, doubts: readonly Doubt[]): Promise<void> {
    await this.doubts.note(source, doubts);
    const begun = doubts.filter(({ reason }) => reason === 'START_IN_PAST' || reason === 'BEFORE_START');
    await this.priced.shut(
      source,
      begun.map(({ externalId }) => externalId),
    );
  }

  /** A game that was put off until further notice has a start again. */
  private async resume(gameId: string, startsAt: Date): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const report: GameReport = { status: 'postponed', startsAt };
      await this.results.reportIn(manager, null, gameId, report, { confirm: 'later' });
      await this.repository.noteStart(manager, gameId, startsAt);
    });
  }

  /** What the product refuses of a feed's word is a fault of it. */
  private async refusalOf(word: object, report: () => Promise<unknown>): Promise<Fault | null> {
    try {
      await report();
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
  return (row.status === 'scheduled' || row.revocable) && isMoved(game, row);
}

function isMoved(game: FeedGame, row: ScheduledRow): boolean {
  return row.told_starts_at.getTime() !== game.startsAt.getTime();
}

function toHeld(row: ScheduledRow) {
  return {
    externalId: row.external_id,
    sport: row.sport,
    homeTeam: row.home_team,
    awayTeam: row.away_team,
    startsAt: row.starts_at,
    off: ['cancelled', 'abandoned', 'postponed'].includes(row.status) && !row.revocable,
  };
}

function toKnown(row: ScheduledRow) {
  return {
    ...toHeld(row),
    toldStartsAt: row.told_starts_at,
    begun: row.status !== 'scheduled' && row.status !== 'postponed' && !row.revocable,
    postponed: row.status === 'postponed',
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
