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

/** Runs what was asked for; called by UnitOfWork only. */
export function runAfterCommit(runner: QueryRunner | undefined): void {
  for (const callback of ((runner?.data[CALLBACKS] as Callbacks | undefined) ?? new Map()).values()) callback();
}
