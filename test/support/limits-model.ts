import type { BookingKind } from '../../src/modules/compliance/limits/domain/limit-check.js';
import {
  LIMIT_KINDS,
  LIMIT_PERIODS,
  type LimitKind,
  type LimitPeriod,
} from '../../src/platform/config/jurisdiction-rules.js';

const HOUR = 3_600_000;

export interface ModelLimit {
  amount: number | null;
  asked: { amount: number | null; at: number } | null;
}
export interface ModelBooking {
  reference: string;
  kind: BookingKind;
  amount: number;
  status: 'open' | 'counted' | 'released';
  countedAt: number;
  atRisk: number;
  givenBack: number;
}

/** The rules of limits, as plainly as they can be said. */
export class LimitsModel {
  readonly limits = new Map<string, ModelLimit>();
  readonly bookings: ModelBooking[] = [];
  readonly entries: { kind: LimitKind; amount: number; at: number }[] = [];

  limit(kind: LimitKind, period: LimitPeriod, now: number): ModelLimit {
    const key = `${kind} ${period}`;
    const limit = this.limits.get(key) ?? { amount: null, asked: null };
    this.limits.set(key, limit);
    if (limit.asked && now >= limit.asked.at + (24 + 168) * HOUR) limit.asked = null;
    return limit;
  }

  /** What the answer says: the amount in force, and what waits. */
  set(kind: LimitKind, period: LimitPeriod, wanted: number | null, now: number): 'not found' | ModelLimit {
    const limit = this.limit(kind, period, now);
    if (limit.amount === null) {
      if (wanted === null) return 'not found';
      limit.amount = wanted;
    } else if (wanted !== null && wanted <= limit.amount) {
      limit.amount = wanted;
      limit.asked = null;
    } else if (limit.asked === null || limit.asked.amount !== wanted)
      limit.asked = { amount: wanted, at: now };
    return limit;
  }

  confirm(kind: LimitKind, period: LimitPeriod, now: number): 'refused' | ModelLimit {
    const limit = this.limit(kind, period, now);
    if (limit.asked === null || now < limit.asked.at + 24 * HOUR) return 'refused';
    limit.amount = limit.asked.amount;
    limit.asked = null;
    return limit;
  }

  used(kind: LimitKind, period: LimitPeriod, now: number): number {
    const month = (at: number) => new Date(at).toISOString().slice(0, 7);
    const within = (at: number) =>
      period === 'month' ? month(at) === month(now) : now - at < (period === 'day' ? 24 : 168) * HOUR;
    const came = this.entries.filter((entry) => entry.kind === kind && within(entry.at));
    const live = this.bookings.map((booking) => {
      if (booking.status === 'open') return countsAs(booking.kind, kind) ? booking.amount : 0;
      return kind === 'loss' ? booking.atRisk : 0;
    });
    return came.reduce((sum, { amount }) => sum + amount, 0) + live.reduce((sum, amount) => sum + amount, 0);
  }

  book(booking: ModelBooking, now: number): boolean {
    const fits = LIMIT_KINDS.filter((kind) => countsAs(booking.kind, kind)).every((kind) =>
      LIMIT_PERIODS.every((period) => {
        const { amount } = this.limit(kind, period, now);
        return amount === null || this.used(kind, period, now) + booking.amount <= amount;
      }),
    );
    if (fits) this.bookings.push(booking);
    return fits;
  }

  count(booking: ModelBooking, now: number): void {
    if (booking.status === 'counted') return;
    booking.status = 'counted';
    booking.countedAt = now;
    const { amount } = booking;
    if (countsAs(booking.kind, 'deposit')) this.entries.push({ kind: 'deposit', amount, at: now });
    if (!countsAs(booking.kind, 'stake')) return;
    this.entries.push({ kind: 'stake', amount, at: now });
    booking.atRisk = amount;
  }

  lose(booking: ModelBooking, amount: number, now: number): void {
    const lost = Math.min(amount, booking.atRisk);
    booking.atRisk -= lost;
    this.entries.push({ kind: 'loss', amount: lost, at: now });
  }

  /** Of what was not decided: the tests of services give back what was lost. */
  giveBack(booking: ModelBooking, amount: number): void {
    const at = booking.countedAt;
    booking.givenBack += amount;
    if (countsAs(booking.kind, 'deposit')) this.entries.push({ kind: 'deposit', amount: -amount, at });
    if (countsAs(booking.kind, 'stake')) this.entries.push({ kind: 'stake', amount: -amount, at });
    booking.atRisk -= countsAs(booking.kind, 'stake') ? amount : 0;
  }
}

const countsAs = (booking: BookingKind, kind: LimitKind) =>
  booking === 'purchase' || (booking === 'deposit') === (kind === 'deposit');
