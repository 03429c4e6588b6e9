import { Injectable, Logger } from '@nestjs/common';
import { DateTime } from 'luxon';
import { Clock } from '../../platform/clock/clock.js';
import { Rules } from '../../platform/config/rules.js';
import { newId } from '../../platform/database/ids.js';
import { UnitOfWork } from '../../platform/database/unit-of-work.js';
import { PaymentProviders } from './payment-providers.js';
import { PaymentsRepository } from './payments.repository.js';
import type { ListedPayment, PaymentProvider } from './provider.js';
import {
  type BookedRow,
  type DifferenceKind,
  ReconciliationRepository,
} from './reconciliation.repository.js';
import { SettlingService } from './settling.service.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const BATCH = 500;
const HOUR_MS = 3_600_000;
/** Of one provider: who was down for long catches up in several runs. */
const DAYS_AT_A_TIME = 7;
/** A day is compared some hours after its end, when what was late is here. */
const COMPARED_AFTER_HOURS = 3;
/** What a worker that was killed had begun is taken up after so long. */
const LOST_AFTER_MS = HOUR_MS;

/** A day at a provider, and the days around it in which its list may name what we booked in that day. */
interface Day {
  readonly from: Date;
  readonly to: Date;
  readonly listFrom: Date;
  readonly listTo: Date;
}

/**
 * Our books and a provider's, held against each other once for each day, both ways. What is found is reported, not repaired: but for
 * money that nobody had told us of.
 */
@Injectable()
export class ReconciliationService {
  private readonly logger = new Logger('Reconciliation');

  constructor(
    private readonly repository: ReconciliationRepository,
    private readonly payments: PaymentsRepository,
    private readonly settling: SettlingService,
    private readonly providers: PaymentProviders,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly rules: Rules,
  ) {}

  /**
   * Compares with every provider that has a list the days that are over and were not compared, the oldest first and some at a time;
   * true when there may be more. A provider that fails holds up no other, and a day of it none that comes after.
   */
  async compareDays(): Promise<boolean> {
    const now = this.clock.now();
    const lostBefore = new Date(now.getTime() - LOST_AFTER_MS);
    const last = DateTime.fromJSDate(now, { zone: 'utc' })
      .minus({ hours: COMPARED_AFTER_HOURS, days: 1 })
      .startOf('day');
    let more = false;
    for (const provider of this.providers.all) {
      const days = await this.repository.daysDue(provider.name, isoDay(last), lostBefore, DAYS_AT_A_TIME);
      let isWell = true;
      for (const day of days) {
        const id = await this.repository.claimDay(newId(), provider.name, day, now, lostBefore);
        isWell = id === null || (await this.compareDay(id, provider, DateTime.fromISO(day, { zone: 'utc' })));
        if (!isWell) break;
      }
      more ||= isWell && days.length === DAYS_AT_A_TIME;
    }
    return more;
  }

  private async compareDay(id: string, provider: PaymentProvider, day: DateTime): Promise<boolean> {
    try {
      const { giveUpHours } = this.rules.payments.reconciliation;
      const figures = await this.compare(provider, {
        from: day.toJSDate(),
        to: day.plus({ days: 1 }).toJSDate(),
        listFrom: day.minus({ hours: giveUpHours, days: 1 }).toJSDate(),
        listTo: day.plus({ days: 2 }).toJSDate(),
      });
      await this.repository.complete(id, { ...figures, now: this.clock.now() });
      return true;
    } catch (error) {
      this.logger.error({ err: error }, `cannot compare ${isoDay(day)} with ${provider.name}`);
      return false;
    }
  }

  private async compare(provider: PaymentProvider, day: Day): Promise<{ listed: number; booked: number }> {
    const list = provider.list(day.listFrom, day.listTo);
    if (list === null) return { listed: 0, booked: 0 };
    const names = new Set<string>();
    let listed = 0;
    for await (const batch of batches(list)) {
      listed += batch.length;
      for (const payment of batch)
        for (const name of [payment.providerReference, payment.paymentId, ...(payment.alsoKnownAs ?? [])])
          if (name !== null) names.add(name);
      // What is newer may be on its way to us still.
      const settled = batch.filter(({ status, at }) => status === 'succeeded' && at < day.to);
      await this.theirs(provider.name, settled);
    }
    return { listed, booked: await this.ours(provider.name, day, names) };
  }

  /** What the provider lists as paid must be in our books, at the same amount. */
  private async theirs(provider: string, listed: readonly ListedPayment[]): Promise<void> {
    const ours = await this.repository.matching(
      provider,
      listed.map(({ paymentId, providerReference }) => ({
        paymentId: paymentId !== null && UUID.test(paymentId) ? paymentId : null,
        reference: providerReference,
      })),
    );
    const agreeing: string[] = [];
    for (const [index, theirs] of listed.entries()) {
      const booked = ours[index] ?? null;
      const kind = differenceOf(booked, theirs);
      if (kind === null) agreeing.push(theirs.providerReference);
      else await this.report(provider, kind, theirs.providerReference, booked, theirs);
      if (kind === 'not_booked' && booked !== null && (await this.book(booked.id, theirs)))
        agreeing.push(theirs.providerReference);
    }
    if (agreeing.length > 0) await this.repository.agree(provider, agreeing, this.clock.now());
  }

  /** Money that is there and nobody told us of; the report of it stays. */
  private async book(paymentId: string, state: ListedPayment): Promise<boolean> {
    return await this.unitOfWork.run(async (manager) => {
      const payment = await this.payments.lock(manager, paymentId);
      return payment !== null && (await this.settling.settle(manager, payment, state)) === 'applied';
    });
  }

  /** What we booked that day the provider must list. */
  private async ours(provider: string, { from, to }: Day, names: ReadonlySet<string>): Promise<number> {
    let count = 0;
    let after: { at: Date; id: string } | null = null;
    for (;;) {
      const rows = await this.repository.booked(provider, { from, to, after, limit: BATCH });
      for (const row of rows)
        if (![row.id, ...row.references].some((name) => names.has(name)))
          await this.report(provider, 'missing_there', row.references[0] ?? row.id, row, null);
      count += rows.length;
      const last = rows.at(-1);
      if (rows.length < BATCH || last === undefined) return count;
      after = { at: last.confirmed_at, id: last.id };
    }
  }

  private async report(
    provider: string,
    kind: DifferenceKind,
    reference: string,
    ours: BookedRow | null,
    theirs: ListedPayment | null,
  ): Promise<void> {
    this.logger.error(`${provider} and our books differ: ${kind} ${reference}`);
    const difference = {
      reference,
      kind,
      paymentId: ours?.id ?? null,
      ours: ours?.paid_amount == null ? null : BigInt(ours.paid_amount),
      theirs: theirs?.paid?.amount ?? null,
      currency: theirs?.paid?.currency ?? ours?.paid_currency ?? null,
    };
    await this.repository.report(newId(), provider, difference, this.clock.now());
  }
}

function isoDay(day: DateTime): string {
  return day.toFormat('yyyy-MM-dd');
}

function differenceOf(ours: BookedRow | null, { paid }: ListedPayment): DifferenceKind | null {
  if (ours === null) return 'unknown_here';
  if (ours.paid_amount === null) return 'not_booked';
  if (paid === null) return null;
  const same = BigInt(ours.paid_amount) === paid.amount && ours.paid_currency === paid.currency;
  return same ? null : 'amount_differs';
}

async function* batches<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
