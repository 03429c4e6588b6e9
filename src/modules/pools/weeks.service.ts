import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { DeadlinesService } from '../../platform/jobs/deadlines.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import {
  buyBackUntil,
  formatWeekId,
  nextWeekId,
  parseWeekId,
  previousWeekId,
  weekBounds,
  weekIdAt,
} from './domain/calendar.js';
import { SEED_BYTES, seedHash } from './domain/shuffle.js';
import { weekMachine } from './domain/week-machine.js';
import type { WeekDto } from './dto/weeks.dto.js';
import type { Week } from './entities/week.entity.js';
import { poolsErrors } from './pools.errors.js';
import { POOLS_DEADLINES, weekClosed } from './pools.events.js';
import { WeekOpenedPort } from './week-opened.port.js';
import { WeeksRepository } from './weeks.repository.js';

/** The life of a week: opened ahead of time, closed at its end. (Grouping and settling are use cases of their own.) */
@Injectable()
export class WeeksService {
  private current = { id: 0, startsAt: new Date(0), endsAt: new Date(0) };

  constructor(
    private readonly repository: WeeksRepository,
    private readonly opened: WeekOpenedPort,
    private readonly deadlines: DeadlinesService,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** The id of the week that the Clock is in. */
  currentId(): number {
    const now = this.clock.now();
    // Asked for by every bet: the calendar is worked out once a week.
    if (now < this.current.startsAt || now >= this.current.endsAt) {
      const id = this.idAt(now);
      this.current = { id, ...weekBounds(id, this.rules.pools.zone) };
    }
    return this.current.id;
  }

  idAt(instant: Date): number {
    return weekIdAt(instant, this.rules.pools.zone);
  }

  /** Opens the week that the Clock is in; opening a week makes the one after it open when it begins. */
  async openCurrent(): Promise<void> {
    await this.open(this.currentId());
  }

  /** Opens the week after the one that the Clock is in. */
  async openNext(): Promise<void> {
    await this.open(nextWeekId(this.currentId()));
  }

  /** Opens a week for joining, with its seed, its partition and its deadlines. Doing it again does nothing. */
  async open(id: number): Promise<void> {
    const { startsAt, endsAt } = weekBounds(id, this.rules.pools.zone);
    const seed = randomBytes(SEED_BYTES);
    await this.unitOfWork.run(async (manager) => {
      const week = { id, gate: newId(), startsAt, endsAt, seed, seedHash: seedHash(seed) };
      if (!(await this.repository.insert(manager, week))) return;
      await this.opened.open(manager, id);
      await this.deadlines.set(manager, POOLS_DEADLINES.group, { subject: String(id), dueAt: startsAt });
      await this.deadlines.set(manager, POOLS_DEADLINES.close, { subject: String(id), dueAt: endsAt });
      await this.deadlines.set(manager, POOLS_DEADLINES.open, {
        subject: String(nextWeekId(id)),
        dueAt: startsAt,
      });
    });
  }

  /** Closes a week whose end has come. The gate waits for bets in flight; afterwards none is accepted. */
  async close(id: number): Promise<void> {
    await this.unitOfWork.run(async (manager) => {
      const week = await this.getLocked(manager, id);
      const now = this.clock.now();
      if (now < week.endsAt) return;
      await this.repository.shutGate(manager, week);
      const closed = await this.repository.move(manager, id, weekMachine.from('close'), {
        status: 'closed',
        closedAt: now,
      });
      if (closed) await this.outbox.publish(manager, weekClosed, { weekId: id });
      // A week that was never grouped is grouped first: its deadline has come as well.
      else if (week.status === 'open') throw poolsErrors.WEEK_STATE_CONFLICT({ status: week.status });
    });
  }

  /** Marks a closed week settled; false when somebody else did. */
  async markSettled(manager: EntityManager, id: number): Promise<boolean> {
    return await this.repository.move(manager, id, weekMachine.from('settle'), {
      status: 'settled',
      settledAt: this.clock.now(),
    });
  }

  /** The weeks that a user may have played, newest first: none is drawn without a pass. */
  async idsOfUser(userId: string): Promise<number[]> {
    return await this.repository.idsOfUser(userId);
  }

  /** The same, but for weeks that are settled, which hold no open bet. */
  async unsettledIdsOfUser(userId: string): Promise<number[]> {
    return await this.repository.unsettledIdsOfUser(userId);
  }

  /**
   * The weeks that may hold ungraded or graded bets on a game with these starts: from the week before the first of them
   * to the last one, and every week that is not settled yet.
   */
  async idsAround(manager: EntityManager, ...starts: Date[]): Promise<number[]> {
    const ids = starts.map((start) => this.idAt(start));
    return await this.repository.idsBetween(manager, previousWeekId(Math.min(...ids)), Math.max(...ids));
  }

  async findLocked(manager: EntityManager, id: number): Promise<Week | null> {
    return await this.repository.lock(manager, id);
  }

  async getLocked(manager: EntityManager, id: number): Promise<Week> {
    const week = await this.findLocked(manager, id);
    if (!week) throw poolsErrors.WEEK_NOT_FOUND({ week: formatWeekId(id) });
    return week;
  }

  /** The earliest week that can be joined and starts after that. Throws WEEK_NOT_OPEN_YET. */
  async getNextToJoin(manager: EntityManager, after: Date): Promise<Week> {
    const week = await this.repository.findNextToJoin(manager, after);
    if (!week) throw poolsErrors.WEEK_NOT_OPEN_YET();
    return week;
  }

  /**
   * The same, locked: the draw takes this lock too, so that who joins under it is in the draw's list. Who waited for the draw
   * gets a later week; `wanted` is preferred while it can be joined.
   */
  async lockNextToJoin(manager: EntityManager, after: Date, wanted: Week | null = null): Promise<Week> {
    let week = wanted && wanted.startsAt > after ? wanted : await this.getNextToJoin(manager, after);
    while ((await this.getLocked(manager, week.id)).status !== 'open')
      week = await this.getNextToJoin(manager, week.startsAt);
    return week;
  }

  async get(id: number): Promise<Week> {
    const week = await this.repository.find(id);
    if (!week) throw poolsErrors.WEEK_NOT_FOUND({ week: formatWeekId(id) });
    return week;
  }

  /** A week as clients see it, by `2025-W14`, `202514` or `current`. */
  async describe(text: string): Promise<WeekDto> {
    return this.toDto(await this.get(text === 'current' ? this.currentId() : readWeekId(text)));
  }

  toDto(week: Week): WeekDto {
    const { zone } = this.rules.pools;
    return {
      id: formatWeekId(week.id),
      status: week.status,
      startsAt: week.startsAt.toISOString(),
      endsAt: week.endsAt.toISOString(),
      locksAt: week.startsAt.toISOString(),
      nextWeekStartsAt: weekBounds(nextWeekId(week.id), zone).startsAt.toISOString(),
      buyBackUntil: buyBackUntil(week.id, zone).toISOString(),
      seedHash: week.seedHash,
      players: week.entriesCount,
      settledAt: week.settledAt?.toISOString() ?? null,
    };
  }
}

/** Throws WEEK_ID_INVALID. */
export function readWeekId(text: string): number {
  const id = parseWeekId(text);
  if (id === null) throw poolsErrors.WEEK_ID_INVALID({ week: text });
  return id;
}

/** A week's id as clients write it: `2023-W40`. */
export function weekText(id: number): string {
  return formatWeekId(id);
}
