import 'reflect-metadata';
import { createWorker } from './bootstrap.js';
import { loadAppConfig } from './platform/config/load-config.js';
import { serveOperations } from './platform/observability/operations-server.js';
import { runUntilStopped, startOrExit } from './platform/observability/run.js';

await startOrExit(async () => {
  const config = loadAppConfig();
  const worker = await createWorker(config);
  const server = await serveOperations(worker, config);
  runUntilStopped(worker, config, server);
});
