import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { PollLoop } from '../jobs/poll-loop.js';
import { AuditChainRepository } from './audit-chain.repository.js';
import { BEGINNING, type ChainHead, headOf, type Seal, sealOf } from './chain.js';

const EVERY_MS = 5000;
/** Entries of one seal at most: as many are read, and held, at a time. */
const SEALED_AT_A_TIME = 1000;

/**
 * In the worker: seals what has been committed, one worker at a time. Business transactions never wait for it, nor it for
 * them. The head of each seal is in the log of the process, out of reach of whoever can write to the database.
 */
@Injectable()
export class AuditSealer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('AuditSealer');
  private readonly loop = new PollLoop('AuditSealer', EVERY_MS, () => this.seal());
  /** The last head that this process has seen. */
  private seen: ChainHead | null = null;

  constructor(
    private readonly repository: AuditChainRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /**
   * Makes one seal of what has settled; true when there may be more, false too when another worker is at it. Throws when the
   * chain does not hold the last head that was seen here: what is unsealed then grows, which alarms.
   */
  async seal(): Promise<boolean> {
    await this.checkSeen();
    const made = await this.unitOfWork.run(async (manager): Promise<Seal | null> => {
      if (!(await this.repository.lockSealing(manager))) return null;
      const end = await this.repository.endIn(manager);
      const [first, ...others] = await this.repository.settledAfter(
        manager,
        end?.last ?? BEGINNING,
        SEALED_AT_A_TIME,
      );
      if (!first) return null;
      const seal = sealOf([first, ...others], end, await this.repository.nowMicros(manager));
      await this.repository.insert(manager, seal);
      return seal;
    });
    if (made === null) return false;
    this.seen = headOf(made);
    this.logger.log({ seal: made.number, hash: this.seen.hash, entries: made.entries }, 'audit log sealed');
    return made.entries === SEALED_AT_A_TIME;
  }

  private async checkSeen(): Promise<void> {
    if (this.seen === null) return;
    const { number, hash } = this.seen;
    if ((await this.repository.hashOf(number)) !== hash)
      throw new Error(
        `seal ${number} of the audit log, ${hash}, is gone or was replaced: nothing is sealed on it`,
      );
  }
}
