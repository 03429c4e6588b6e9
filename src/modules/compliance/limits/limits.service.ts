import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../../../platform/clock/clock.js';
import type { Jurisdiction, Maxima } from '../../../platform/config/jurisdiction-rules.js';
import { Rules } from '../../../platform/config/rules.js';
import { limitErrors } from '../limits.errors.js';
import {
  availableOf,
  type BookingKind,
  countsAs,
  type EffectiveLimit,
  effectiveLimits,
  exceeded,
  missingLimit,
  type UsedLimit,
} from './domain/limit-check.js';
import { leavesAt, windowAfter } from './domain/limit-windows.js';
import { type BookingRow, LimitBookingsRepository, type NewEntry } from './limit-bookings.repository.js';
import { LimitsRepository } from './limits.repository.js';

export interface MoneyBooking {
  readonly userId: string;
  readonly kind: BookingKind;
  readonly money: { readonly amount: bigint; readonly currency: string };
  /** What makes it one booking, however often it is asked for: `payment:<id>`. */
  readonly reference: string;
  /** Where the user is, or was when they began. */
  readonly jurisdiction: Jurisdiction;
}

/** What somebody has won, or has to give back again. */
export interface Winnings {
  readonly userId: string;
  readonly currency: string;
  readonly amount: bigint;
  /** The ledger's transfer that paid it, or took it back. */
  readonly transferId: string;
}

/**
 * Whether money may be paid in or staked, decided in the transaction that books it. Money is let through first (`book`), which counts
 * from then on, and is counted when it has come (`count`) or forgotten when it does not (`release`). Deposits and stakes count gross
 * from when they came; what is staked counts as lost until it is decided, less what was won from then on.
 * UKGC RTS 12, AGCO 2.24, N.J.A.C. 13:69O-1.4.
 */
@Injectable()
export class LimitsService {
  constructor(
    private readonly repository: LimitsRepository,
    private readonly bookings: LimitBookingsRepository,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Lets money through, or throws LIMIT_REQUIRED or LIMIT_EXCEEDED. Call it in the user's gate, before accounts of the ledger; of
   * several at once each sees what the others have let through.
   */
  async book(manager: EntityManager, booking: MoneyBooking): Promise<void> {
    const { userId, kind, money, reference, jurisdiction } = booking;
    const { amount, currency } = money;
    await this.repository.lock(manager, userId);
    if ((await this.bookings.lock(manager, reference)) !== null) return;
    const now = this.clock.now();
    const kinds = countsAs(kind);
    const own = await this.repository.inForce(manager, userId, currency);
    const missing = missingLimit(jurisdiction.limits.mandatory, kinds, own);
    if (missing !== null) throw limitErrors.LIMIT_REQUIRED({ kind: missing, currency });
    const limits = effectiveLimits(currency, this.maximaOf(jurisdiction), own);
    const held = limits.filter((limit) => kinds.includes(limit.kind));
    const broken = exceeded(await this.withUsed(manager, userId, currency, held, now), amount);
    if (broken) throw await this.refusal(manager, userId, broken, { amount, currency, now });
    const [paysIn, stakes] = [kinds.includes('deposit'), kinds.includes('stake')];
    await this.bookings.insert(manager, { reference, userId, currency, amount, paysIn, stakes, now });
  }

  /** The money has come: it counts from now on, whatever the limits say by now. Done once; of what nobody let through nothing. */
  async count(manager: EntityManager, reference: string): Promise<void> {
    const booking = await this.bookings.lock(manager, reference);
    const now = this.clock.now();
    if (booking === null || !(await this.bookings.count(manager, reference, now))) return;
    await this.bookings.addEntries(manager, entriesOf(booking, BigInt(booking.amount), now, 'counted'), now);
  }

  /** The money has not come, or goes back without having done anything. It may still come. */
  async release(manager: EntityManager, reference: string): Promise<void> {
    await this.bookings.release(manager, reference);
  }

  /**
   * So much of what had come has gone back, for a `cause` that is done once. It counts no more in the window in which it had counted;
   * of a stake what is not decided first, then what was lost. What was given back already, and was refused by a bank, has counted
   * no more since.
   */
  async giveBack(manager: EntityManager, reference: string, amount: bigint, cause: string): Promise<void> {
    const booking = await this.bookings.lock(manager, reference);
    if (!booking || booking.counted_at === null) return;
    const [atRisk, givenBack] = [BigInt(booking.at_risk), BigInt(booking.given_back)];
    const back = least(amount, BigInt(booking.amount) - givenBack);
    const undecided = least(back, atRisk);
    const lostAt = (await this.bookings.lostAt(manager, reference)) ?? booking.counted_at;
    const entries = [
      ...entriesOf(booking, -back, booking.counted_at, cause),
      ...(booking.stakes ? [lossOf(booking, undecided - back, lostAt, cause)] : []),
    ].filter((entry) => entry.amount !== 0n);
    if (!(await this.bookings.addEntries(manager, entries, this.clock.now()))) return;
    await this.bookings.change(manager, reference, {
      givenBack: givenBack + back,
      atRisk: atRisk - undecided,
    });
  }

  /** What was given back has not arrived, and stays ours: it counts again. What it was staked on is over: it is lost. */
  async takeAgain(manager: EntityManager, reference: string, amount: bigint, cause: string): Promise<void> {
    const booking = await this.bookings.lock(manager, reference);
    if (!booking || booking.counted_at === null) return;
    const now = this.clock.now();
    const [atRisk, givenBack] = [BigInt(booking.at_risk), BigInt(booking.given_back)];
    const entries = [
      ...entriesOf(booking, amount, booking.counted_at, cause),
      ...(booking.stakes ? [lossOf(booking, amount, now, cause)] : []),
    ];
    if (await this.bookings.addEntries(manager, entries, now))
      await this.bookings.change(manager, reference, { givenBack: givenBack - amount, atRisk });
  }

  /** What was staked on is decided, for a `cause` that is done once: so much of each booking is lost, less what is won. */
  async lose(
    manager: EntityManager,
    parts: readonly { reference: string; amount: bigint }[],
    cause: string,
  ): Promise<void> {
    if (parts.length > 0) await this.bookings.lose(manager, parts, { cause, now: this.clock.now() });
  }

  /** What was paid to winners, negative where it was taken back; a transfer is counted once. */
  async win(manager: EntityManager, winnings: readonly Winnings[]): Promise<void> {
    const now = this.clock.now();
    const entries = winnings.map(({ userId, currency, amount, transferId }): NewEntry => ({
      userId,
      currency,
      kind: 'loss',
      amount: -amount,
      at: now,
      reference: `transfer:${transferId}`,
      cause: 'won',
    }));
    await this.bookings.addEntries(manager, entries, now);
  }

  /** The operator's maxima, and the place's. */
  maximaOf(jurisdiction: Jurisdiction): Maxima[] {
    return [this.rules.compliance.limits.maximum, jurisdiction.limits.maximum];
  }

  private async withUsed(
    manager: EntityManager,
    userId: string,
    currency: string,
    limits: readonly EffectiveLimit[],
    now: Date,
  ): Promise<UsedLimit[]> {
    const windows = limits.map(({ kind, period }) => ({ kind, period, after: windowAfter(period, now) }));
    const used = await this.bookings.usedIn(manager, userId, currency, windows);
    return limits.map((limit, index) => ({ ...limit, used: used[index] ?? 0n }));
  }

  /** Tells from when on this amount would fit, if nothing else came; null when it never does, or what is on its way is in the way. */
  private async refusal(
    manager: EntityManager,
    userId: string,
    limit: UsedLimit,
    asked: { amount: bigint; currency: string; now: Date },
  ): Promise<Error> {
    const { kind, period } = limit;
    const { currency } = asked;
    const over = limit.used + asked.amount - limit.amount;
    const after = windowAfter(period, asked.now);
    const freedBy = await this.bookings.freedBy(manager, { userId, currency, kind, after }, over);
    return limitErrors.LIMIT_EXCEEDED({
      kind,
      period,
      currency,
      limit: Number(limit.amount),
      used: Number(limit.used),
      available: Number(availableOf(limit)),
      resetsAt: freedBy && leavesAt(period, freedBy).toISOString(),
    });
  }
}

/** A deposit, a stake, or both. */
function entriesOf(
  { user_id: userId, currency, reference, pays_in: paysIn, stakes }: BookingRow,
  amount: bigint,
  at: Date,
  cause: string,
): NewEntry[] {
  const entry = { userId, currency, amount, at, reference, cause };
  return [
    ...(paysIn ? [{ ...entry, kind: 'deposit' as const }] : []),
    ...(stakes ? [{ ...entry, kind: 'stake' as const }] : []),
  ];
}

function lossOf(
  { user_id: userId, currency, reference }: BookingRow,
  amount: bigint,
  at: Date,
  cause: string,
): NewEntry {
  return { userId, currency, kind: 'loss', amount, at, reference, cause };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
