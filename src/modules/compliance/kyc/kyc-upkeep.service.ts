import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { UnitOfWork } from '../../../platform/database/unit-of-work.js';
import { type Forgetful, HasHousekeeping } from '../../../platform/jobs/housekeeping.decorator.js';
import { MetricsService } from '../../../platform/observability/metrics.service.js';
import { OutboxService } from '../../../platform/outbox/outbox.service.js';
import { DocumentStore } from './document-store.js';
import { KycDocumentsRepository } from './kyc-documents.repository.js';
import { KycEventsRepository } from './kyc-events.repository.js';
import { kycEventReceived } from './kyc.events.js';
import { KycRepository } from './kyc.repository.js';

/** No upload takes so long. */
const STRAY_MS = 24 * 3_600_000;
/** No job of an event waits so long, unless it was lost. */
const LOST_MS = 3_600_000;

/**
 * Tells how many identities wait for operators, and removes files that belong to nobody: their process died between writing them and writing
 * down whose they are. Nobody can read them.
 */
@HasHousekeeping()
@Injectable()
export class KycUpkeep implements Forgetful, OnModuleInit {
  private readonly logger = new Logger('KycUpkeep');
  readonly forgets = [
    async (limit: number) => await this.removeStrays(limit),
    async (limit: number) => await this.wakeLost(limit),
  ];

  constructor(
    private readonly repository: KycRepository,
    private readonly metrics: MetricsService,
    private readonly store: DocumentStore,
    private readonly documents: KycDocumentsRepository,
    private readonly events: KycEventsRepository,
    private readonly outbox: OutboxService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.metrics.gauge('parley_kyc_waiting', 'Identities to be decided by operators', [], async (figure) => {
      figure.set((await this.repository.waiting()).count);
    });
    this.metrics.gauge(
      'parley_kyc_waiting_seconds',
      'For how long the first of them has waited',
      [],
      async (figure) => {
        const { since } = await this.repository.waiting();
        figure.set(since === null ? 0 : (this.clock.now().getTime() - since.getTime()) / 1000);
      },
    );
  }

  private async removeStrays(limit: number): Promise<number> {
    const before = new Date(this.clock.now().getTime() - STRAY_MS);
    let removed = 0;
    for await (const ids of this.store.names()) {
      const known = await this.documents.known(ids);
      for (const id of ids.filter((one) => !known.has(one))) {
        const at = await this.store.writtenAt(id);
        if (at === null || at >= before) continue;
        await this.store.remove(id);
        removed += 1;
        if (removed === limit) return removed;
      }
    }
    if (removed > 0) this.logger.warn(`${removed} files of documents belonged to no upload and were removed`);
    return removed;
  }

  /** Their jobs are made again; answers none, since nothing is left to do at once. */
  private async wakeLost(limit: number): Promise<number> {
    const lost = await this.events.waitingSince(new Date(this.clock.now().getTime() - LOST_MS), limit);
    if (lost.length > 0)
      await this.unitOfWork.run(async (manager) => {
        for (const id of lost) await this.outbox.publish(manager, kycEventReceived, { id });
      });
    return 0;
  }
}
