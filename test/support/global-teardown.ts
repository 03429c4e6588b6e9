import { once } from 'node:events';
import type { ServicesHolder } from './global-setup.js';

/** Ends the process that holds the servers of the run, and waits until they have stopped and their files are gone. */
export default async function globalTeardown(): Promise<void> {
  const holder = globalThis as ServicesHolder;
  const services = holder.parleyTestServices;
  if (!services) return;

  holder.parleyTestServices = undefined;
  if (services.exitCode !== null || services.signalCode !== null) return;
  services.ref();
  const ended = once(services, 'exit');
  if (services.connected) services.disconnect();
  await ended;
}
