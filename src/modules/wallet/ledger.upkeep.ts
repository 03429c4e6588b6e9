import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PollLoop } from '../../platform/jobs/poll-loop.js';
import { LedgerRepository } from './ledger.repository.js';

const EXPIRE_EVERY_MS = 1000;
/** Holds that one transaction releases: the accounts of as many users are locked until it has committed. */
const EXPIRE_BATCH = 100;
const OPEN_EVERY_MS = 3_600_000;
/** Months whose partitions are ready: a worker may be away for a quarter before a transfer finds none. */
const MONTHS_AHEAD = 3;

/** In the worker: releases the holds whose time is up, by the Clock, and has the entries' next months ready. */
@Injectable()
export class LedgerUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly expiry = new PollLoop('HoldExpiry', EXPIRE_EVERY_MS, () => this.expire());
  private readonly months = new PollLoop('LedgerMonths', OPEN_EVERY_MS, async () => {
    await this.openMonths();
    return false;
  });

  constructor(private readonly repository: LedgerRepository) {}

  onApplicationBootstrap(): void {
    this.expiry.start();
    this.months.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.expiry.stop();
    await this.months.stop();
  }

  /** Releases a batch; true when there may be more. */
  async expire(): Promise<boolean> {
    return (await this.repository.expire(EXPIRE_BATCH)) === EXPIRE_BATCH;
  }

  async openMonths(): Promise<void> {
    await this.repository.openMonths(MONTHS_AHEAD);
  }
}
