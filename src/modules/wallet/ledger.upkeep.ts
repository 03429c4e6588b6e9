import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import { PollLoop } from '../../platform/jobs/poll-loop.js';
import { type DueHold, LedgerRepository } from './ledger.repository.js';

const EXPIRE_EVERY_MS = 1000;
/**
 * Holds that one transaction releases: the accounts of as many users are locked until it has committed. Each is a savepoint, of
 * which Postgres keeps 64 a transaction at hand; beyond that everybody's snapshots cost more.
 */
const EXPIRE_BATCH = 50;
/** Money that somebody has in hand is left for the next time; a hold that is late by so much is told of. */
const LATE_MS = 60_000;
const TOLD = 5;
const FIRST: DueHold = { due_at: '-infinity', hold_id: '00000000-0000-0000-0000-000000000000' };
const OPEN_EVERY_MS = 3_600_000;
/** Months whose partitions are ready: a worker may be away for a quarter before a transfer finds none. */
const MONTHS_AHEAD = 3;

/** In the worker: releases the holds whose time is up, by the Clock, and has the entries' next months ready. */
@Injectable()
export class LedgerUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly expiry = new PollLoop('HoldExpiry', EXPIRE_EVERY_MS, () => this.expire());
  private after = FIRST;
  private late: string[] = [];
  private readonly months = new PollLoop('LedgerMonths', OPEN_EVERY_MS, async () => {
    await this.openMonths();
    return false;
  });

  constructor(
    private readonly repository: LedgerRepository,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.expiry.start();
    this.months.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.expiry.stop();
    await this.months.stop();
  }

  /**
   * Releases a batch; true when there may be more, which the next call goes on with. One that cannot expire stops no other: it
   * is tried again in each round. Throws at the end of a round when some are late.
   */
  async expire(): Promise<boolean> {
    const seen = await this.repository.expire(EXPIRE_BATCH, this.after);
    const late = this.clock.now().getTime() - LATE_MS;
    for (const { hold_id: holdId, due_at: dueAt, problem } of seen)
      if (problem !== null && Date.parse(dueAt) < late) this.late.push(`${holdId}: ${problem}`);
    const last = seen.at(-1);
    if (last && seen.length === EXPIRE_BATCH) {
      this.after = last;
      return true;
    }
    const told = this.late;
    this.after = FIRST;
    this.late = [];
    if (told.length > 0)
      throw new Error(`${told.length} holds cannot expire, among them ${told.slice(0, TOLD).join('; ')}`);
    return false;
  }

  async openMonths(): Promise<void> {
    await this.repository.openMonths(MONTHS_AHEAD);
  }
}
