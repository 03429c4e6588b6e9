import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import { Rules } from '../../../platform/config/rules.js';
import { newId } from '../../../platform/database/ids.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import type { Place } from '../../../platform/geo/place.js';
import { JurisdictionsService } from '../jurisdictions.service.js';
import { limitChangeErrors } from '../limits.errors.js';
import { availableOf, effectiveLimits, type UsedLimit } from './domain/limit-check.js';
import {
  applyTo,
  confirmable,
  eventOf,
  type LimitEvent,
  type LimitTerms,
  NO_LIMIT,
  stageOf,
} from './domain/limit-machine.js';
import { windowAfter } from './domain/limit-windows.js';
import type { LimitDto, LimitsDto, SetLimitDto } from './dto/limits.dto.js';
import { LimitBookingsRepository } from './limit-bookings.repository.js';
import { LimitsRepository, type StoredLimit } from './limits.repository.js';
import { LimitsService } from './limits.service.js';

/** The limits that users set themselves. Nobody is ever kept from less; more takes time, and saying so twice. */
@Injectable()
export class OwnLimitsService {
  constructor(
    private readonly repository: LimitsRepository,
    private readonly bookings: LimitBookingsRepository,
    private readonly limits: LimitsService,
    private readonly jurisdictions: JurisdictionsService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /** What is set, what of it is left, and what holds where the user is. */
  async get(userId: string, place: Place): Promise<LimitsDto> {
    const { limits } = this.jurisdictions.ofAnywhere(place);
    const stored = await this.repository.ofUser(userId);
    const currencies = this.currencies();
    return {
      limits: await this.shownAll(stored, place),
      maxima: currencies.flatMap((currency) =>
        effectiveLimits(currency, this.maximaAt(place), []).map(({ kind, period, amount }) => ({
          kind,
          period,
          amount: { amount: Number(amount), currency },
        })),
      ),
      required: limits.mandatory,
      waitHours: limits.waitHours,
      confirmHours: this.rules.compliance.limits.confirmHours,
    };
  }

  /**
   * Sets a limit: the first, or one that is lower, at once, and then nothing waits any more; a higher one, or none, waits to be
   * confirmed. To ask for what is so, or waits already, changes nothing. Throws LIMIT_CURRENCY_NOT_TAKEN, LIMIT_NOT_FOUND.
   */
  async set(
    userId: string,
    place: Place,
    { kind, period, currency, amount }: SetLimitDto,
  ): Promise<LimitDto> {
    const wanted = amount === undefined ? null : BigInt(amount);
    const taken = this.currencies();
    const changed = await this.unitOfWork.run(async (manager) => {
      await this.repository.lock(manager, userId);
      const key = { userId, kind, period, currency };
      const found = await this.repository.findByKey(manager, key);
      if (found === null && !taken.includes(currency))
        throw limitChangeErrors.LIMIT_CURRENCY_NOT_TAKEN({ currency, taken });
      const limit = await this.current(manager, found ?? { ...NO_LIMIT, ...key, id: newId() }, place);
      if (limit.amount === null && wanted === null) throw limitChangeErrors.LIMIT_NOT_FOUND();
      const event = eventOf(limit, wanted);
      return event === null ? limit : await this.change(manager, limit, event, place, wanted);
    });
    return await this.shownOne(changed, place);
  }

  /** Says again that a limit is to be higher, or gone. Throws LIMIT_NOT_FOUND, LIMIT_NOT_REQUESTED, LIMIT_STILL_WAITING. */
  async confirm(userId: string, place: Place, id: string): Promise<LimitDto> {
    const changed = await this.unitOfWork.run(async (manager) => {
      const limit = await this.locked(manager, userId, id, place);
      if (limit.request === null) throw limitChangeErrors.LIMIT_NOT_REQUESTED();
      const terms = this.termsAt(place);
      if (stageOf(limit.request, terms, this.clock.now()) === 'waiting')
        throw limitChangeErrors.LIMIT_STILL_WAITING({
          confirmFrom: confirmable(limit.request, terms).from.toISOString(),
        });
      return await this.change(manager, limit, 'confirm', place, null);
    });
    return await this.shownOne(changed, place);
  }

  /** Takes back what was asked for, at once; where nothing was, nothing changes. Throws LIMIT_NOT_FOUND. */
  async takeBack(userId: string, place: Place, id: string): Promise<LimitDto> {
    const changed = await this.unitOfWork.run(async (manager) => {
      const limit = await this.locked(manager, userId, id, place);
      return limit.request === null ? limit : await this.change(manager, limit, 'take_back', place, null);
    });
    return await this.shownOne(changed, place);
  }

  private async locked(
    manager: EntityManager,
    userId: string,
    id: string,
    place: Place,
  ): Promise<StoredLimit> {
    await this.repository.lock(manager, userId);
    const limit = await this.repository.find(manager, userId, id);
    if (!limit) throw limitChangeErrors.LIMIT_NOT_FOUND();
    return await this.current(manager, limit, place);
  }

  /** The limit as it is now: a request that nobody has confirmed in time is none. */
  private async current(manager: EntityManager, limit: StoredLimit, place: Place): Promise<StoredLimit> {
    return this.isLapsed(limit, place) ? await this.change(manager, limit, 'lapse', place, null) : limit;
  }

  private isLapsed({ request }: StoredLimit, place: Place): boolean {
    return request !== null && stageOf(request, this.termsAt(place), this.clock.now()) === 'lapsed';
  }

  private async change(
    manager: EntityManager,
    limit: StoredLimit,
    event: LimitEvent,
    place: Place,
    wanted: bigint | null,
  ): Promise<StoredLimit> {
    const now = this.clock.now();
    const next = applyTo(limit, event, { wanted, now, waitHours: this.termsAt(place).waitHours });
    if (next === null) throw new Error(`limit ${limit.id} is ${limit.state}: ${event} may not happen to it`);
    const stored = { ...limit, ...next };
    await this.repository.save(manager, stored, { id: newId(), event, now });
    return stored;
  }

  private async shownOne(limit: StoredLimit, place: Place): Promise<LimitDto> {
    const [used = 0n] = await this.usedOf([limit]);
    return this.shown(limit, used, place);
  }

  /** One query a currency. */
  private async shownAll(limits: readonly StoredLimit[], place: Place): Promise<LimitDto[]> {
    const groups = [...Map.groupBy(limits, ({ currency }) => currency).values()];
    const shown = await Promise.all(
      groups.map(async (group) => {
        const used = await this.usedOf(group);
        return group.map((limit, index) => this.shown(limit, used[index] ?? 0n, place));
      }),
    );
    return shown.flat();
  }

  /** What counts towards limits of one user and currency now. */
  private async usedOf(limits: readonly StoredLimit[]): Promise<bigint[]> {
    const now = this.clock.now();
    const windows = limits.map(({ kind, period }) => ({ kind, period, after: windowAfter(period, now) }));
    const [first] = limits;
    return first ? await this.bookings.shownIn(first.userId, first.currency, windows) : [];
  }

  private shown(limit: StoredLimit, used: bigint, place: Place): LimitDto {
    const { id, kind, period, currency, amount } = limit;
    const own = amount === null ? [] : [{ kind, period, amount }];
    const effective = effectiveLimits(currency, this.maximaAt(place), own).find(
      (each) => each.kind === kind && each.period === period,
    );
    const request = this.isLapsed(limit, place) ? null : limit.request;
    const times = request && confirmable(request, this.termsAt(place));
    return {
      id,
      kind,
      period,
      currency,
      amount: amount === null ? null : Number(amount),
      applies: effective ? Number(effective.amount) : null,
      used: Number(used),
      available: effective ? Number(availableOf({ ...effective, used } satisfies UsedLimit)) : null,
      request: request && {
        amount: request.amount === null ? null : Number(request.amount),
        askedAt: request.askedAt.toISOString(),
        confirmFrom: times?.from.toISOString() ?? '',
        confirmUntil: times?.until.toISOString() ?? '',
      },
    };
  }

  private maximaAt(place: Place) {
    return this.limits.maximaOf(this.jurisdictions.ofAnywhere(place));
  }

  private termsAt(place: Place): LimitTerms {
    const { waitHours } = this.jurisdictions.ofAnywhere(place).limits;
    return { waitHours, confirmHours: this.rules.compliance.limits.confirmHours };
  }

  /** In which money can be paid. */
  private currencies(): string[] {
    const { deposits, prices } = this.rules.payments;
    const lists = [deposits, prices.week_pass, prices.subscription, prices.buy_back];
    return [...new Set(lists.flatMap(Object.keys))].toSorted();
  }
}
