import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { runAfterCommit } from './after-commit.js';
import { asUnavailable, isRetryable } from './database-errors.js';

const ATTEMPTS = 4;

/**
 * Opens the one transaction of a use case. What joins it takes the manager as its first argument. On a deadlock or a
 * serialisation failure the whole callback starts again, at most three times, after a random pause; so the callback
 * does nothing outside the database.
 */
@Injectable()
export class UnitOfWork {
  constructor(private readonly dataSource: DataSource) {}

  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        let runner: QueryRunner | undefined;
        const result = await this.dataSource.transaction('READ COMMITTED', (manager) => {
          runner = manager.queryRunner;
          return work(manager);
        });
        runAfterCommit(runner);
        return result;
      } catch (error) {
        if (!isRetryable(error) || attempt === ATTEMPTS) throw asUnavailable(error);
        await sleep(Math.random() * 20 * 2 ** attempt);
      }
    }
  }
}
