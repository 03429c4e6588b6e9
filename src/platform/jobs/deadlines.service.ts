import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Clock } from '../clock/clock.js';
import { defineEvent, type EventJob, type EventType } from '../outbox/event.js';
import { type Deadline, DeadlinesRepository } from './deadlines.repository.js';

export interface DeadlinePayload {
  /** What the deadline is about: an id, or a week. */
  subject: string;
  dueAt: string;
}

const TOPIC = 'deadline.';

/** The event that a deadline of this kind publishes when it is due. */
export function deadlineEvent(kind: string): EventType<DeadlinePayload> {
  return defineEvent<DeadlinePayload>(`${TOPIC}${kind}`);
}

/**
 * What must happen at a time of the Clock. Deadlines are rows that the worker polls, so moving the clock moves them;
 * when due they become events, with the queues' retries and dead letters.
 */
@Injectable()
export class DeadlinesService {
  constructor(
    private readonly repository: DeadlinesRepository,
    private readonly clock: Clock,
  ) {}

  async set(manager: EntityManager, kind: string, ...deadlines: Deadline[]): Promise<void> {
    if (deadlines.length > 0) await this.repository.upsert(manager, kind, deadlines);
  }

  /** Runs what a deadline's job asks for, and notes that it is done; until then it fires again. */
  async perform(
    job: EventJob<DeadlinePayload>,
    work: (kind: string, subject: string) => Promise<void>,
  ): Promise<void> {
    const kind = job.topic.slice(TOPIC.length);
    const { subject, dueAt } = job.payload;
    // Postgres said that it is due. A process whose clock is behind tries again, rather than find that it is too early.
    if (this.clock.now() < new Date(dueAt))
      throw new Error(`the clock of this process is behind: ${kind} is due`);
    await work(kind, subject);
    await this.repository.complete(kind, subject, dueAt);
  }
}
