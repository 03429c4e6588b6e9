import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import type { EventType } from './event.js';

/** Which queues hear which topics. Worker modules register here at boot, before the relay starts. */
@Injectable()
export class EventRoutes {
  private readonly routes = new Map<string, Queue[]>();

  on(event: EventType<never> | EventType<object>, queue: Queue): void {
    const queues = this.routes.get(event.topic) ?? [];
    if (!queues.includes(queue)) this.routes.set(event.topic, [...queues, queue]);
  }

  queuesFor(topic: string): readonly Queue[] {
    return this.routes.get(topic) ?? [];
  }

  /** Every queue that hears something. */
  get queues(): readonly Queue[] {
    return [...new Set([...this.routes.values()].flat())];
  }
}
