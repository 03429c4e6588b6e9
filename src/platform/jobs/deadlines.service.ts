import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { defineEvent, type EventType } from '../outbox/event.js';
import { type Deadline, DeadlinesRepository } from './deadlines.repository.js';

export interface DeadlinePayload {
  /** What the deadline is about: an id, or a week. */
  subject: string;
  dueAt: string;
}

/** The event that a deadline of this kind publishes when it is due. */
export function deadlineEvent(kind: string): EventType<DeadlinePayload> {
  return defineEvent<DeadlinePayload>(`deadline.${kind}`);
}

/**
 * What must happen at a time of the Clock. Deadlines are rows that the worker polls, so moving the clock moves them;
 * when due they become events, with the queues' retries and dead letters.
 */
@Injectable()
export class DeadlinesService {
  constructor(private readonly repository: DeadlinesRepository) {}

  async set(manager: EntityManager, kind: string, ...deadlines: Deadline[]): Promise<void> {
    if (deadlines.length > 0) await this.repository.upsert(manager, kind, deadlines);
  }

  async clear(manager: EntityManager, kind: string, subject: string): Promise<void> {
    await this.repository.remove(manager, kind, subject);
  }
}
