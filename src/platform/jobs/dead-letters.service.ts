import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { httpErrors } from '../http/http.errors.js';
import { withTimeout } from '../observability/with-timeout.js';
import type { RedisConnections } from '../redis/redis-connections.js';

const ANSWER_MS = 3000;

export interface DeadLetter {
  queue: string;
  jobId: string;
  topic: string;
  payload: unknown;
  attempts: number;
  failedReason: string;
  failedAt: Date | null;
}

export interface QueueFigures {
  queue: string;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
}

/** Jobs that failed every attempt, and the way back: each can be run again once its cause is mended. */
@Injectable()
export class DeadLettersService {
  constructor(
    private readonly redis: RedisConnections,
    private readonly queues: readonly Queue[],
  ) {
    // RedisConnections tells of a lost Redis; a queue that nobody hears would write it to the console each time.
    for (const queue of queues) queue.on('error', () => undefined);
  }

  async list(limit: number): Promise<DeadLetter[]> {
    const perQueue = await this.ask(async (queue) => {
      const jobs = await queue.getFailed(0, limit - 1);
      return jobs.map((job) => ({
        queue: queue.name,
        jobId: String(job.id),
        topic: job.name,
        payload: (job.data as { payload?: unknown }).payload ?? null,
        attempts: job.attemptsMade,
        failedReason: job.failedReason ?? '',
        failedAt: job.finishedOn === undefined ? null : new Date(job.finishedOn),
      }));
    });
    return perQueue.flat().slice(0, limit);
  }

  /** Gives the job all its attempts again. Throws NOT_FOUND when it is no dead letter. */
  async retry(queueName: string, jobId: string): Promise<void> {
    const retried = await this.ask(async (queue) => {
      if (queue.name !== queueName) return false;
      const job = await queue.getJob(jobId);
      if (!job || !(await job.isFailed())) return false;
      await job.retry('failed', { resetAttemptsMade: true });
      return true;
    });
    if (!retried.includes(true)) throw httpErrors.NOT_FOUND({ queue: queueName, jobId });
  }

  async figures(): Promise<QueueFigures[]> {
    return await this.ask(async (queue) => {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
      return {
        queue: queue.name,
        waiting: counts['waiting'] ?? 0,
        active: counts['active'] ?? 0,
        delayed: counts['delayed'] ?? 0,
        failed: counts['failed'] ?? 0,
      };
    });
  }

  /** Asks each queue. Without Redis their commands would wait for its return: SERVICE_UNAVAILABLE instead. */
  private async ask<T>(question: (queue: Queue) => Promise<T>): Promise<T[]> {
    this.redis.requireQueue();
    return await withTimeout(Promise.all(this.queues.map(question)), ANSWER_MS, 'queues');
  }
}
