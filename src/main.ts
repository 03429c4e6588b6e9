import 'reflect-metadata';
import { createApi } from './bootstrap.js';
import { loadAppConfig } from './platform/config/load-config.js';
import { runUntilStopped, startOrExit } from './platform/observability/run.js';

await startOrExit(async () => {
  const config = loadAppConfig();
  const app = await createApi(config);
  await app.listen(config.PORT, config.HOST);
  runUntilStopped(app, config, app.getHttpServer());
});
