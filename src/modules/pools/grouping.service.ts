import { setImmediate } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { readCursor } from '../../platform/http/pagination.js';
import { AuditService } from '../../platform/observability/audit.service.js';
import { OutboxService } from '../../platform/outbox/outbox.service.js';
import { formatWeekId } from './domain/calendar.js';
import { type PlannedPool, planPools } from './domain/pool-plan.js';
import { entriesHash, shuffle } from './domain/shuffle.js';
import { weekMachine } from './domain/week-machine.js';
import { type DrawnPlayers, DrawRepository } from './draw.repository.js';
import type { DrawDto, DrawQuery } from './dto/weeks.dto.js';
import type { Week } from './entities/week.entity.js';
import { EntryFeesService } from './entry-fees.service.js';
import { FeesRepository } from './fees.repository.js';
import { poolsErrors } from './pools.errors.js';
import { weekGrouped } from './pools.events.js';
import { WeeksRepository } from './weeks.repository.js';
import { readWeekId, WeeksService } from './weeks.service.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface EntryList {
  readonly entrants: string[];
  readonly hash: string;
}

/** Draws a week's players into pools, once, so that anyone can replay it. */
@Injectable()
export class GroupingService {
  private readonly logger = new Logger('Grouping');

  constructor(
    private readonly weeks: WeeksService,
    private readonly weeksRepository: WeeksRepository,
    private readonly repository: DrawRepository,
    private readonly fees: EntryFeesService,
    private readonly feesRepository: FeesRepository,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Groups a week whose start has come. The hash of the list is published (committed) before the draw; the draw is one
   * transaction under the week's lock. Any number of callers at once: one draws, the others find it done.
   */
  async group(weekId: number, actorId: string | null): Promise<void> {
    await this.openWeekForLatecomers(weekId);
    for (;;) {
      const list = await this.publishEntries(weekId);
      if (list === null) return;
      const outcome = await this.unitOfWork.run((manager) => this.draw(manager, weekId, list, actorId));
      if (outcome !== 'list changed') return;
      this.logger.log(`week ${weekId}: an entry was barred between list and draw, publishing the list again`);
    }
  }

  /** The list whose hash is published by this, or null when the week is grouped already. */
  private async publishEntries(weekId: number): Promise<EntryList | null> {
    return await this.unitOfWork.run(async (manager) => {
      const week = await this.enter(manager, weekId);
      if (week === null) return null;
      await this.repository.enterSubscribers(manager, weekId);
      const entrants = this.isOver(week) ? [] : await this.entrants(manager, week);
      const list = { entrants, hash: entriesHash(entrants) };
      await this.weeksRepository.move(manager, weekId, weekMachine.from('group'), {
        entriesHash: list.hash,
        entriesCount: entrants.length,
      });
      return list;
    });
  }

  private async draw(
    manager: EntityManager,
    weekId: number,
    list: EntryList,
    actorId: string | null,
  ): Promise<'done' | 'list changed'> {
    const week = await this.enter(manager, weekId);
    if (week === null) return 'done';
    const { entrants, hash } = list;
    const [hashNow, drawn] = await Promise.all([
      this.hashNow(manager, week),
      meanwhile(() => shuffle([...entrants.keys()], week.seed)),
    ]);
    if (hash !== week.entriesHash || hash !== hashNow) return 'list changed';
    const moved = this.isOver(week) ? await this.movePasses(manager, weekId) : null;
    const { maxSize, fill, startingCredits } = this.rules.pools;
    const plan = planPools(
      weekId,
      drawn.map((entrant) => entrants[entrant] as string),
      { max: maxSize, fill },
    );
    const pools = plan.map(({ index, name, members }) => ({
      id: newId(),
      number: index + 1,
      name,
      size: members.length,
    }));
    const players = playersOf(entrants, drawn, plan);
    await this.repository.insertDraw(manager, { weekId, pools, players, credits: startingCredits });
    await this.fees.shareOut(manager, weekId, pools, this.rules.prizes);
    await this.weeksRepository.move(manager, weekId, weekMachine.from('group'), {
      status: 'grouped',
      groupedAt: this.clock.now(),
      fill,
      maxSize,
      prizeRules: this.rules.prizes,
    });
    const payload = { weekId, players: drawn.length, pools: pools.length };
    await this.outbox.publish(manager, weekGrouped, payload);
    await this.audit.record(manager, {
      actorId,
      action: 'week.group',
      subjectType: 'week',
      subjectId: String(weekId),
      details: { ...payload, entriesHash: week.entriesHash },
    });
    if (moved)
      await this.audit.record(manager, {
        actorId,
        action: 'week.move_passes',
        subjectType: 'week',
        subjectId: String(weekId),
        details: moved,
      });
    return 'done';
  }

  /** The locked week, or null when it is grouped already. Throws when its start has not come. */
  private async enter(manager: EntityManager, weekId: number): Promise<Week | null> {
    const week = await this.weeks.getLocked(manager, weekId);
    if (weekMachine.next(week.status, 'group') === null) return null;
    if (this.clock.now() < week.startsAt)
      throw poolsErrors.WEEK_STATE_CONFLICT({ status: week.status, startsAt: week.startsAt.toISOString() });
    return week;
  }

  private async entrants(manager: EntityManager, { id }: Week): Promise<string[]> {
    return await this.repository.entrants(manager, id, this.clock.now(), this.rules.auth.minimumAge);
  }

  /** The hash of the list as it would be now. Nobody is drawn into a week that ended before anyone could play it. */
  private async hashNow(manager: EntityManager, week: Week): Promise<string> {
    if (this.isOver(week)) return entriesHash([]);
    return await this.repository.entrantsHash(manager, week.id, this.clock.now(), this.rules.auth.minimumAge);
  }

  private isOver(week: Week): boolean {
    return this.clock.now() >= week.endsAt;
  }

  /** After an outage the deadline that opens the next week may still be waiting behind this one. */
  private async openWeekForLatecomers(weekId: number): Promise<void> {
    const week = await this.weeks.get(weekId);
    if (week.status === 'open' && this.isOver(week)) await this.weeks.openNext();
  }

  /**
   * The passes of a week that nobody played count for the next that can be joined, and so does what was paid for them. Who
   * holds one for that already keeps the old one as it is, unused.
   */
  private async movePasses(
    manager: EntityManager,
    weekId: number,
  ): Promise<{ to: number; moved: number; kept: number }> {
    const next = await this.weeks.lockNextToJoin(manager, this.clock.now());
    const moved = await this.repository.movePasses(manager, weekId, next.id);
    await this.feesRepository.movePasses(manager, weekId, next.id);
    return { to: next.id, ...moved };
  }

  /** What anyone needs to replay the draw: hashes before it, the seed and every entry after it. */
  async proof(text: string, query: DrawQuery): Promise<DrawDto> {
    const week = await this.weeks.get(text === 'current' ? this.weeks.currentId() : readWeekId(text));
    const drawn = week.status !== 'open';
    const limit = query.limit ?? 1000;
    const after = readCursor(query.cursor, [UUID])?.[0] ?? null;
    const rows = drawn ? await this.repository.entriesPage(week.id, after, limit + 1) : [];
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      week: formatWeekId(week.id),
      algorithm: 'fisher-yates-hmac-sha256',
      seedHash: week.seedHash,
      seed: drawn ? week.seed.toString('hex') : null,
      entriesHash: week.entriesHash,
      entriesCount: week.entriesCount,
      fill: week.fill,
      maxSize: week.maxSize,
      entries: page.map((row) => ({ userId: row.user_id, drawPosition: row.draw_position, pool: row.pool })),
      nextCursor: rows.length > limit && last ? Buffer.from(last.user_id).toString('base64url') : null,
    };
  }
}

/** Computes while Postgres does, once the statement asked for before has left. */
async function meanwhile<T>(compute: () => T): Promise<T> {
  await setImmediate();
  return compute();
}

/** Each entrant's place: `drawn` names entrants by their index in the list. */
function playersOf(
  userIds: readonly string[],
  drawn: readonly number[],
  plan: readonly PlannedPool[],
): DrawnPlayers {
  const positions = new Int32Array(userIds.length);
  const pools = new Int32Array(userIds.length);
  for (const { index, members } of plan)
    for (const { drawPosition } of members) {
      const entrant = drawn[drawPosition - 1] as number;
      positions[entrant] = drawPosition;
      pools[entrant] = index + 1;
    }
  return { userIds, positions, pools };
}
