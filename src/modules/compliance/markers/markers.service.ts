import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import {
  type DayFacts,
  dayOf,
  isToBeShown,
  markersOf,
  nightsDue,
  scoreOf,
  USUAL_DAYS,
} from '../domain/harm-markers.js';
import { PlaySessionsPort } from '../reality-checks/play-sessions.port.js';
import { type DayBounds, HarmFactsPort, type SomeFacts, type Watched } from './harm-facts.port.js';
import { HarmFlagsRepository } from './harm-flags.repository.js';
import { MarkersRepository, type ScoredDay } from './markers.repository.js';

const DAY_MS = 86_400_000;
const NOTHING = {
  bets: 0,
  nightBets: 0,
  staked: 0,
  chasingBets: 0,
  payments: 0,
  declined: 0,
  paidInWhileWithdrawing: 0,
  checks: 0,
} as const;

/**
 * Looks each night at what everybody did on the day before, and shows to the compliance team whose play shows signs of harm (UKGC SR 3.4.3).
 * It decides nothing. A night goes on where it was left, a chunk of people a transaction; what is written once stays.
 */
@HasHousekeeping()
@Injectable()
export class MarkersService implements Forgetful {
  private readonly logger = new Logger('Markers');
  readonly forgets = [
    async (limit: number) => {
      const days = this.rules.compliance.markers.keepDays;
      return await this.repository.forgetDays(dayOf(this.clock.now().getTime() - days * DAY_MS), limit);
    },
  ];

  constructor(
    private readonly repository: MarkersRepository,
    private readonly flags: HarmFlagsRepository,
    private readonly facts: HarmFactsPort,
    private readonly sessions: PlaySessionsPort,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** Every night that is due, one after the other: what was usual is told by the days before. */
  async run(): Promise<void> {
    const { catchUpDays } = this.rules.compliance.markers;
    const last = await this.repository.lastCompleted();
    for (const day of nightsDue(last, this.clock.now(), catchUpDays)) await this.runDay(day);
  }

  /** Doing it twice, or in two processes at once, does it once. */
  async runDay(day: string): Promise<void> {
    await this.repository.begin(day, this.clock.now());
    while (await this.unitOfWork.run(async (manager) => await this.goOn(manager, day)));
    const run = await this.repository.newestRun();
    if (run) this.logger.log({ day, people: run.people, flagged: run.flagged }, 'a day was looked at');
  }

  /** The next people of the day; whether there may be more. */
  private async goOn(manager: EntityManager, day: string): Promise<boolean> {
    const run = await this.repository.lockRun(manager, day);
    if (run === null || run.completed_at !== null) return false;
    const from = new Date(`${day}T00:00:00Z`);
    const bounds = { from, to: new Date(from.getTime() + DAY_MS) };
    const ids = await this.activeOn(manager, bounds, run.reached);
    const reached = ids.at(-1);
    if (reached === undefined) {
      await this.repository.complete(manager, day, this.clock.now());
      return false;
    }
    const scored = await this.score(manager, day, bounds, ids);
    const written = await this.repository.insertDays(manager, scored);
    const flagged = await this.raise(
      manager,
      day,
      scored.filter(({ userId }) => written.has(userId)),
    );
    await this.repository.progress(manager, day, { reached, people: written.size, flagged });
    return true;
  }

  /** The first ones of all that modules know of: each tells its first ones. */
  private async activeOn(manager: EntityManager, day: DayBounds, after: string | null): Promise<string[]> {
    const { chunk } = this.rules.compliance.markers;
    const ids = new Set<string>();
    for (const facts of this.facts.all)
      for (const id of await facts.activeOn(manager, day, after, chunk)) ids.add(id);
    return [...ids].toSorted().slice(0, chunk);
  }

  private async score(
    manager: EntityManager,
    day: string,
    bounds: DayBounds,
    ids: readonly string[],
  ): Promise<ScoredDay[]> {
    const { markers: rules } = this.rules.compliance;
    const zones = await this.sessions.get().zonesOf(manager, ids);
    const people = ids.map((userId): Watched => ({ userId, zone: nightZone(zones.get(userId)) }));
    const known: Map<string, SomeFacts>[] = [];
    for (const facts of this.facts.all) known.push(await facts.factsOf(manager, bounds, people, rules));
    const checks = await this.repository.checksOf(manager, ids, bounds);
    const longest = Math.max(
      rules.paidInWhileWithdrawing.days,
      rules.risingStakes.days + USUAL_DAYS,
      USUAL_DAYS,
    );
    const since = dayOf(bounds.from.getTime() - longest * DAY_MS);
    const history = Map.groupBy(
      await this.repository.history(manager, ids, since, day),
      ({ userId }) => userId,
    );
    return ids.map((userId) => {
      const told = known.reduce<SomeFacts>((all, facts) => ({ ...all, ...facts.get(userId) }), {});
      const today: DayFacts = { day, ...NOTHING, ...told, checks: checks.get(userId) ?? 0 };
      const markers = markersOf([...(history.get(userId) ?? []), today], day, rules);
      return { userId, ...today, markers, score: scoreOf(markers) };
    });
  }

  /** How many are shown. */
  private async raise(manager: EntityManager, day: string, scored: readonly ScoredDay[]): Promise<number> {
    const { markers: rules } = this.rules.compliance;
    const high = scored.filter(({ score }) => score >= rules.score);
    if (high.length === 0) return 0;
    const now = this.clock.now();
    const last = await this.flags.lastDecided(
      manager,
      high.map(({ userId }) => userId),
    );
    const shown = high.filter(({ userId, score }) =>
      isToBeShown(score, rules, last.get(userId) ?? null, now),
    );
    const flags = shown.map(({ userId, score, markers }) => ({ id: newId(), userId, day, score, markers }));
    if (flags.length > 0) await this.flags.raise(manager, flags, now);
    return flags.length;
  }
}

/** `Etc/GMT+12` and its like stand for places whose hours nobody knows. */
function nightZone(zone: string | undefined): string {
  return zone === undefined || zone.startsWith('Etc/') ? 'UTC' : zone;
}
