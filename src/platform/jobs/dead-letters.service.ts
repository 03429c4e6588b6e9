import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { httpErrors } from '../http/http.errors.js';

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
  constructor(private readonly queues: readonly Queue[]) {}

  async list(limit: number): Promise<DeadLetter[]> {
    const perQueue = await Promise.all(
      this.queues.map(async (queue) => {
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
      }),
    );
    return perQueue.flat().slice(0, limit);
  }

  async retry(queueName: string, jobId: string): Promise<void> {
    const queue = this.queues.find(({ name }) => name === queueName);
    const job = await queue?.getJob(jobId);
    if (!job || !(await job.isFailed())) throw httpErrors.NOT_FOUND({ queue: queueName, jobId });
    await job.retry('failed');
  }

  async figures(): Promise<QueueFigures[]> {
    return await Promise.all(
      this.queues.map(async (queue) => {
        const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
        return {
          queue: queue.name,
          waiting: counts['waiting'] ?? 0,
          active: counts['active'] ?? 0,
          delayed: counts['delayed'] ?? 0,
          failed: counts['failed'] ?? 0,
        };
      }),
    );
  }
}
