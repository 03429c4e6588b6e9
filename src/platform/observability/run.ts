import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import type { AppConfig } from '../config/app-config.js';
import { ConfigError } from '../config/load-config.js';
import { Lifecycle } from './lifecycle.js';
import { ServerDrain } from './server-drain.js';

/** Runs `start`; when it cannot, says why in one message and ends the process. */
export async function startOrExit(start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    const text = error instanceof ConfigError ? error.message : String((error as Error).stack ?? error);
    process.stderr.write(`${text}\n`);
    process.exit(1);
  }
}

/**
 * Ends the process in order on SIGTERM or SIGINT: readiness fails, nothing new is accepted, what was accepted is
 * answered and jobs in hand are finished, connections are closed. What takes longer than the grace is cut off.
 */
export function runUntilStopped(app: INestApplicationContext, config: AppConfig, server: Server): void {
  const drain = new ServerDrain(server);
  const stop = (): void => {
    const lifecycle = app.get(Lifecycle);
    if (lifecycle.stopping) return;
    lifecycle.stop();
    const overdue = AbortSignal.timeout(config.SHUTDOWN_GRACE_MS);
    overdue.addEventListener('abort', () => process.exit(1));
    drain
      .close()
      .then(() => app.close())
      .then(() => sleep(0))
      .then(
        () => process.exit(0),
        () => process.exit(1),
      );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
