import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { Client } from 'pg';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { runAfterCommit } from './after-commit.js';
import { asUnavailable, isAborted, isRetryable, leavesConnectionUsable } from './database-errors.js';

const ATTEMPTS = 4;

/**
 * Opens the one transaction of a use case. What joins it takes the manager as its first argument. On a deadlock or a
 * serialisation failure the whole callback starts again, at most three times, after a random pause; so the callback
 * does nothing outside the database. An error that the callback catches has still ended the transaction (unless it was
 * rolled back to a savepoint): the use case fails with it, however the callback ends.
 */
@Injectable()
export class UnitOfWork {
  constructor(private readonly dataSource: DataSource) {}

  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const watched = new WatchedRunner(this.dataSource.createQueryRunner());
      try {
        const result = await watched.transaction(work);
        runAfterCommit(watched.runner);
        return result;
      } catch (error) {
        if (!isRetryable(error) || attempt === ATTEMPTS) throw asUnavailable(error);
      } finally {
        await watched.runner.release();
      }
      await sleep(Math.random() * 20 * 2 ** attempt);
    }
  }
}

/** A query runner that remembers which statement broke its transaction. */
class WatchedRunner {
  private cause: unknown = null;

  constructor(readonly runner: QueryRunner) {
    const query = runner.query.bind(runner) as (...args: unknown[]) => Promise<unknown>;
    runner.query = (async (...args: unknown[]) => {
      try {
        return await query(...args);
      } catch (error) {
        if (!isAborted(error)) this.cause = error;
        // A connection whose answer was given up waiting for would hand it to whoever borrows it next.
        if (!leavesConnectionUsable(error)) await this.abandon();
        throw error;
      }
    }) as QueryRunner['query'];
  }

  async transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      // READ COMMITTED, Postgres's own default: to ask for it would be one more round trip.
      await this.runner.startTransaction();
      const result = await work(this.runner.manager);
      // Committing a broken transaction rolls it back without an error; any other statement tells that it is broken.
      if (this.cause !== null) await this.runner.query('SELECT 1');
      await this.runner.commitTransaction();
      return result;
    } catch (error) {
      if (this.runner.isTransactionActive) await this.runner.rollbackTransaction().catch(() => undefined);
      throw isAborted(error) || isRetryable(this.cause) ? this.cause : error;
    }
  }

  private async abandon(): Promise<void> {
    const client = (await this.runner.connect().catch(() => null)) as Client | null;
    void client?.end().catch(() => undefined);
  }
}
