import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { INestApplicationContext } from '@nestjs/common';
import type { AppConfig } from '../config/app-config.js';
import { Database } from '../database/database.js';
import { Lifecycle } from './lifecycle.js';
import { MetricsService } from './metrics.service.js';
import { mayScrape } from './metrics-token.js';
import { READY_MS, withTimeout } from './with-timeout.js';

/** Serves /health and /metrics of a process that has no API: the worker. */
export async function serveOperations(app: INestApplicationContext, config: AppConfig): Promise<Server> {
  const [database, metrics, lifecycle] = [app.get(Database), app.get(MetricsService), app.get(Lifecycle)];
  const answers: Record<string, () => Promise<string>> = {
    '/health/live': () => Promise.resolve('{"status":"ok"}'),
    '/health/ready': async () => {
      if (lifecycle.stopping) throw new Error('stopping');
      await withTimeout(database.query('health.ping', 'SELECT 1'), READY_MS, 'database');
      return '{"status":"ok"}';
    },
    '/metrics': () => metrics.registry.metrics(),
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const answer = answers[path];
    const allowed = path !== '/metrics' || mayScrape(config, request.headers.authorization);
    if (!answer || !allowed) {
      response.writeHead(answer ? 401 : 404).end();
      return;
    }
    answer().then(
      (body) =>
        response
          .writeHead(200, { 'Content-Type': path === '/metrics' ? 'text/plain' : 'application/json' })
          .end(body),
      () => response.writeHead(503).end('{"status":"error"}'),
    );
  });
  server.listen(config.WORKER_PORT, config.HOST);
  await once(server, 'listening');
  return server;
}
