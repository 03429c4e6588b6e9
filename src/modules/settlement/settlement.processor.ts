import { InjectQueue, Processor, WorkerHost } from '@nestjs/bullmq';
import type { OnModuleInit } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { QUEUES, WORKER_OPTIONS } from '../../platform/jobs/queues.js';
import type { EventJob } from '../../platform/outbox/event.js';
import { EventRoutes } from '../../platform/outbox/event-routes.js';
import { weekClosed } from '../pools/pools.events.js';
import { gameResultRecorded } from '../sports/sports.events.js';
import { gameSettled, settlementStarted } from './settlement.events.js';
import { SettlementService } from './settlement.service.js';
import { WeekSettlementService } from './week-settlement.service.js';

/** Results to settle, chunks to grade, weeks to end. */
@Processor(QUEUES.outcomeSettlement, { ...WORKER_OPTIONS, concurrency: 4 })
export class SettlementProcessor extends WorkerHost implements OnModuleInit {
  constructor(
    @InjectQueue(QUEUES.outcomeSettlement) private readonly queue: Queue,
    private readonly routes: EventRoutes,
    private readonly settlements: SettlementService,
    private readonly weekSettlement: WeekSettlementService,
  ) {
    super();
  }

  onModuleInit(): void {
    for (const event of [gameResultRecorded, settlementStarted, gameSettled, weekClosed])
      this.routes.on(event, this.queue);
  }

  override async process(job: Job<EventJob>): Promise<void> {
    const { topic, payload } = job.data;
    switch (topic) {
      case gameResultRecorded.topic:
        return await this.settlements.start(String(payload['gameId']), Number(payload['version']));
      case settlementStarted.topic:
        return await this.settlements.run(String(payload['settlementId']));
      default:
        return await this.weekSettlement.settleIfReady(Number(payload['weekId']));
    }
  }
}
