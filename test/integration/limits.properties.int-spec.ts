import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EntityManager } from 'typeorm';
import { JurisdictionsService } from '../../src/modules/compliance/jurisdictions.service.js';
import type { BookingKind } from '../../src/modules/compliance/limits/domain/limit-check.js';
import type { LimitDto } from '../../src/modules/compliance/limits/dto/limits.dto.js';
import { LimitBookingsRepository } from '../../src/modules/compliance/limits/limit-bookings.repository.js';
import { LimitsRepository } from '../../src/modules/compliance/limits/limits.repository.js';
import { LimitsService } from '../../src/modules/compliance/limits/limits.service.js';
import { OwnLimitsService } from '../../src/modules/compliance/limits/own-limits.service.js';
import { Clock } from '../../src/platform/clock/clock.js';
import {
  LIMIT_KINDS,
  LIMIT_PERIODS,
  type LimitKind,
  type LimitPeriod,
} from '../../src/platform/config/jurisdiction-rules.js';
import { Rules } from '../../src/platform/config/rules.js';
import { UnitOfWork } from '../../src/platform/database/unit-of-work.js';
import { DomainError } from '../../src/platform/http/domain-error.js';
import { Builders } from '../support/builders.js';
import type { Client } from '../support/client.js';
import { LimitsModel, type ModelBooking, type ModelLimit } from '../support/limits-model.js';
import { limitProblems } from '../support/limits.js';
import { startSystem, type System } from '../support/system.js';

const COLORADO = { country: 'US', region: 'CO', anonymous: false };

const START = Date.parse('2023-10-30T12:00:00.000Z');
const HOUR = 3_600_000;

/** Time that stands until it is moved, so that the last moment of a window can be met. */
class StillClock extends Clock {
  at = START;
  override now(): Date {
    return new Date(this.at);
  }
}

interface Of {
  kind: LimitKind;
  period: LimitPeriod;
}
type Step =
  | { do: 'wait'; hours: number }
  | ({ do: 'set'; amount: number | null } & Of)
  | ({ do: 'confirm' | 'take back' } & Of)
  | { do: 'book'; kind: BookingKind; amount: number; comes: boolean }
  | { do: 'count' | 'release' | 'lose' | 'give back'; which: number; amount: number };

const anyKind = fc.constantFrom(...LIMIT_KINDS);
const anyPeriod = fc.constantFrom(...LIMIT_PERIODS);
const anyAmount = fc.integer({ min: 1, max: 100 });
const doing = <T extends Step['do']>(...does: T[]) => fc.constantFrom(...does);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: doing('wait'), hours: fc.constantFrom(1, 12, 24, 36, 144, 168, 192) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: doing('set'),
        kind: anyKind,
        period: anyPeriod,
        amount: fc.option(fc.integer({ min: 0, max: 300 }), { freq: 4 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: doing('confirm', 'take back'), kind: anyKind, period: anyPeriod }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: doing('book'),
        kind: fc.constantFrom<BookingKind>('deposit', 'stake', 'purchase'),
        amount: anyAmount,
        comes: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: doing('count', 'release', 'lose', 'give back'),
        which: fc.nat(100),
        amount: anyAmount,
      }),
    },
  ),
  { minLength: 10, maxLength: 40 },
);

/** The product beside the model: each step is done by both, and what each said of it is kept. */
class Both {
  readonly model = new LimitsModel();
  readonly expected: unknown[] = [];
  readonly found: unknown[] = [];
  private readonly ids = new Map<string, string>();

  constructor(
    private readonly userId: string,
    private readonly run: string,
    private readonly clock: StillClock,
    private readonly limits: LimitsService,
    private readonly own: OwnLimitsService,
    private readonly system: System,
  ) {}

  async take(next: Step, index: number): Promise<void> {
    // What changes what is in force, or is let in late, comes after the bookings before it.
    if (next.do !== 'wait' && next.do !== 'book') this.clock.at += 1;
    const now = this.clock.at;
    switch (next.do) {
      case 'wait':
        this.clock.at += next.hours * HOUR;
        break;
      case 'set':
        return await this.set(next, now);
      case 'confirm':
      case 'take back':
        return await this.change(next, now);
      case 'book':
        return await this.book(next, `${this.run}:${index}`, now);
      default:
        await this.move(next, String(index), now);
    }
  }

  /** What counts in the end. */
  async look(): Promise<void> {
    const now = this.clock.at;
    for (const { kind, period, used } of (await this.own.get(this.userId, COLORADO)).limits) {
      this.expected.push([kind, period, this.model.used(kind, period, now)]);
      this.found.push([kind, period, used]);
    }
  }

  private async set({ kind, period, amount }: Of & { amount: number | null }, now: number): Promise<void> {
    const limit = this.model.set(kind, period, amount, now);
    this.expected.push(limit === 'not found' ? 'LIMIT_NOT_FOUND' : said(limit));
    const body = { kind, period, currency: 'USD', amount: amount ?? undefined };
    await this.hear(async () => {
      const answer = await this.own.set(this.userId, COLORADO, body);
      this.ids.set(`${kind} ${period}`, answer.id);
      return told(answer);
    });
  }

  private async change(
    { do: what, kind, period }: Of & { do: 'confirm' | 'take back' },
    now: number,
  ): Promise<void> {
    const id = this.ids.get(`${kind} ${period}`);
    if (id === undefined) return;
    const limit = this.model.limit(kind, period, now);
    if (limit.amount === null) this.expected.push('LIMIT_NOT_FOUND');
    else if (what === 'take back') {
      limit.asked = null;
      this.expected.push(said(limit));
    } else if (limit.asked === null) this.expected.push('LIMIT_NOT_REQUESTED');
    else {
      const confirmed = this.model.confirm(kind, period, now);
      this.expected.push(confirmed === 'refused' ? 'LIMIT_STILL_WAITING' : said(confirmed));
    }
    await this.hear(async () =>
      told(
        what === 'confirm'
          ? await this.own.confirm(this.userId, COLORADO, id)
          : await this.own.takeBack(this.userId, COLORADO, id),
      ),
    );
  }

  private async book(
    { kind, amount, comes }: { kind: BookingKind; amount: number; comes: boolean },
    reference: string,
    now: number,
  ): Promise<void> {
    const booking: ModelBooking = {
      reference,
      kind,
      amount,
      status: 'open',
      countedAt: 0,
      atRisk: 0,
      givenBack: 0,
    };
    const fits = this.model.book(booking, now);
    if (fits && comes) this.model.count(booking, now);
    this.expected.push(fits ? 'booked' : 'LIMIT_EXCEEDED');
    await this.hear(async () =>
      this.inTransaction(async (manager) => {
        const jurisdiction = this.system.app.get(JurisdictionsService).ofAnywhere(COLORADO);
        const money = { amount: BigInt(amount), currency: 'USD' };
        await this.limits.book(manager, { userId: this.userId, kind, money, reference, jurisdiction });
        if (comes) await this.limits.count(manager, reference);
        return 'booked';
      }),
    );
  }

  private async move(
    { do: what, which, amount }: { do: string; which: number; amount: number },
    cause: string,
    now: number,
  ): Promise<void> {
    const { bookings } = this.model;
    const booking = bookings[which % Math.max(1, bookings.length)];
    if (!booking) return;
    const { reference, kind, givenBack, atRisk, status } = booking;
    const left = kind === 'deposit' ? booking.amount - givenBack : atRisk;
    const back = status === 'counted' ? Math.min(amount, left) : 0;
    if (what === 'count') this.model.count(booking, now);
    if (what === 'release' && status === 'open') booking.status = 'released';
    if (what === 'lose') this.model.lose(booking, amount, now);
    if (what === 'give back' && back > 0) this.model.giveBack(booking, back);
    await this.inTransaction(async (manager) => {
      if (what === 'count') await this.limits.count(manager, reference);
      if (what === 'release') await this.limits.release(manager, reference);
      if (what === 'lose') await this.limits.lose(manager, [{ reference, amount: BigInt(amount) }], cause);
      if (what === 'give back' && back > 0)
        await this.limits.giveBack(manager, reference, BigInt(back), cause);
    });
  }

  private async inTransaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return await this.system.app.get(UnitOfWork).run(work);
  }

  private async hear(work: () => Promise<unknown>): Promise<void> {
    try {
      this.found.push(await work());
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      this.found.push(error.code);
    }
  }
}

const said = ({ amount: of, asked }: ModelLimit): unknown => [of, asked && { ...asked }];
const told = ({ amount: of, request }: LimitDto): unknown => [
  of,
  request && { amount: request.amount, at: Date.parse(request.askedAt) },
];

describe('limits, whatever is done', () => {
  let system: System;
  let make: Builders;
  let runs = 0;
  const clock = new StillClock();

  beforeAll(async () => {
    system = await startSystem({ worker: false, at: new Date(START).toISOString() });
    make = new Builders(system);
  });
  afterAll(async () => system.stop());

  async function both(): Promise<Both> {
    const { app } = system;
    clock.at = START;
    runs += 1;
    const [{ userId }] = (await make.players(1)) as [Client];
    const [repository, bookings] = [app.get(LimitsRepository), app.get(LimitBookingsRepository)];
    const [rules, jurisdictions] = [app.get(Rules), app.get(JurisdictionsService)];
    const limits = new LimitsService(repository, bookings, clock, rules);
    const unitOfWork = app.get(UnitOfWork);
    const own = new OwnLimitsService(repository, bookings, limits, jurisdictions, unitOfWork, clock, rules);
    return new Both(userId, `run:${runs}`, clock, limits, own, system);
  }

  async function agree(script: readonly Step[]): Promise<Both> {
    const done = await both();
    for (const [index, next] of script.entries()) await done.take(next, index);
    await done.look();
    expect(done.found).toEqual(done.expected);
    expect(await limitProblems(system)).toEqual([]);
    return done;
  }

  it('are what a plain model says, and no window ever passes one that was in force', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        await agree(script);
      }),
      { numRuns: 60, includeErrorInReport: true },
    );
  }, 180_000);

  it.each<[LimitPeriod, number]>([
    ['day', 24],
    ['week', 7 * 24],
    ['month', 36], // from noon of the 30th to November
  ])('of a %s have room again to the millisecond', async (of, hours) => {
    const full: Step = { do: 'book', kind: 'deposit', amount: 100, comes: true };
    const moment = 1 / HOUR;
    // Setting the limit has taken one moment, of which a month's end knows nothing.
    const almost = hours - (of === 'month' ? 2 : 1) * moment;
    const { found } = await agree([
      { do: 'set', kind: 'deposit', period: of, amount: 100 },
      { ...full },
      { do: 'wait', hours: almost },
      { ...full },
      { do: 'wait', hours: moment },
      { ...full },
    ]);
    expect(found.slice(1, 4)).toEqual(['booked', 'LIMIT_EXCEEDED', 'booked']);
  });
});
