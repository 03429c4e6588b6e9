import { Logger } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';

const CALLBACKS = 'afterCommit';
type Callbacks = Map<string, () => void>;

/** Runs `callback` when the transaction of this manager has committed; once for each name, however often asked. */
export function afterCommit(manager: EntityManager, name: string, callback: () => void): void {
  const runner = manager.queryRunner;
  if (!runner?.isTransactionActive) throw new Error(`${name} must be asked for inside a transaction`);
  const callbacks = (runner.data[CALLBACKS] as Callbacks | undefined) ?? new Map<string, () => void>();
  callbacks.set(name, callback);
  runner.data[CALLBACKS] = callbacks;
}

/** Runs what was asked for; called by UnitOfWork only. What is committed cannot fail any more: an error is told only. */
export function runAfterCommit(runner: QueryRunner): void {
  const callbacks = (runner.data[CALLBACKS] as Callbacks | undefined) ?? new Map<string, () => void>();
  for (const [name, callback] of callbacks) {
    try {
      callback();
    } catch (error) {
      new Logger('AfterCommit').error({ err: error as Error }, name);
    }
  }
}
