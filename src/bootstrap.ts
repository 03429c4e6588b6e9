import type { INestApplication, INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { Express } from 'express';
import helmet, { type HelmetOptions } from 'helmet';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module.js';
import { guardErrors } from './modules/auth/auth.errors.js';
import { playErrors } from './modules/compliance/compliance.errors.js';
import { KYC_UPLOADS, KYC_WEBHOOKS } from './modules/compliance/kyc/kyc.module.js';
import { purchaseErrors } from './modules/pools/pools.errors.js';
import { FORM_ROUTE } from './modules/auth/oauth/oauth.module.js';
import { WEBHOOKS } from './modules/payments/payments.module.js';
import { SANDBOX_PAGES } from './modules/payments/providers/sandbox/sandbox.module.js';
import { Clock } from './platform/clock/clock.js';
import type { AppConfig } from './platform/config/app-config.js';
import { bodyMiddleware } from './platform/http/body.middleware.js';
import { EnvelopeAdapter } from './platform/http/envelope.adapter.js';
import { fixedHeaders } from './platform/http/fixed-headers.js';
import { buildOpenApi } from './platform/http/openapi.js';
import { RequestMiddleware } from './platform/observability/request.middleware.js';
import { type AsyncApiDocument, buildAsyncApi } from './platform/realtime/asyncapi.js';
import { SocketAdapter } from './platform/realtime/socket.adapter.js';
import { WorkerModule } from './worker.module.js';

const API_PREFIX = 'api/v1';

/** An API answers JSON to programs: nothing of it may be framed, run or guessed at, and pages' policies say nothing. */
const API_HEADERS: HelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
};

/** What scripts in a browser may read of an answer beside its body. */
const EXPOSED_HEADERS = [
  'X-Request-Id',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Idempotent-Replayed',
];

/**
 * Longer than a balancer keeps a connection that nobody uses (nginx 60 s), which must be who ends it: a request on its way while we
 * end it, which Node does after 5 s, is lost.
 */
const KEEP_ALIVE_MS = 75_000;

/** The API, configured and not yet listening: what main.ts starts and what tests talk to. */
export async function createApi(config: AppConfig): Promise<NestExpressApplication> {
  const adapter = new EnvelopeAdapter();
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config), adapter, {
    bufferLogs: true,
    bodyParser: false,
    abortOnError: false,
  });
  adapter.clock = app.get(Clock);
  adapter.getHttpServer().keepAliveTimeout = KEEP_ALIVE_MS;
  app.useLogger(app.get(Logger));
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.set('trust proxy', config.TRUSTED_PROXIES);
  app.use(app.get(RequestMiddleware).use);
  app.use('/docs', helmet());
  app.use(fixedHeaders(helmet(API_HEADERS), '/docs'));
  if (config.CORS_ORIGINS.length > 0)
    app.enableCors({ origin: config.CORS_ORIGINS, maxAge: 600, exposedHeaders: EXPOSED_HEADERS });
  const ownReaders = [FORM_ROUTE.path, WEBHOOKS, KYC_WEBHOOKS].map((path) => `/${API_PREFIX}/${path}`);
  const uploads = [{ ...KYC_UPLOADS, path: `/${API_PREFIX}/${KYC_UPLOADS.path}` }];
  app.use(bodyMiddleware([...ownReaders, SANDBOX_PAGES], uploads));
  app.useWebSocketAdapter(new SocketAdapter(app));
  setPaths(app);
  if (config.DOCS_ENABLED) serveDocs(app);
  return app;
}

/** The documents of what runs: OpenAPI 3.1 of the routes, AsyncAPI 3.0 of the sockets. */
interface ApiDocuments {
  readonly openapi: OpenAPIObject;
  readonly asyncapi: AsyncApiDocument;
}

const GUARDS = { ...guardErrors, play: playErrors };

/** The OpenAPI 3.1 document of the routes that run. */
export function openApiOf(app: INestApplication): OpenAPIObject {
  return buildOpenApi(app, GUARDS, { Payments_checkout: purchaseErrors });
}

/** The AsyncAPI 3.0 document of the sockets that run. */
export function asyncApiOf(app: INestApplication): AsyncApiDocument {
  return buildAsyncApi(app, GUARDS);
}

/** The same documents without Postgres and Redis: nothing of the application is instantiated. */
export async function describeApi(config: AppConfig): Promise<ApiDocuments> {
  const app = await NestFactory.create(AppModule.forRoot(config), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  setPaths(app);
  return { openapi: openApiOf(app), asyncapi: asyncApiOf(app) };
}

function setPaths(app: INestApplication): void {
  app.setGlobalPrefix(API_PREFIX, {
    exclude: ['health/{*path}', 'metrics', '.well-known/{*path}', 'sandbox/{*path}'],
  });
}

/** The documents are made when they are first asked for: no start waits for them. */
function serveDocs(app: NestExpressApplication): void {
  let sockets: string | undefined;
  const express: Express = app.getHttpAdapter().getInstance();
  express.get('/docs/asyncapi.json', (_, response) => {
    response.type('application/json').send((sockets ??= JSON.stringify(asyncApiOf(app))));
  });
  SwaggerModule.setup('docs', app, () => openApiOf(app), { jsonDocumentUrl: 'docs/openapi.json' });
}

/** The worker: starts working as soon as it is initialised. */
export async function createWorker(config: AppConfig): Promise<INestApplicationContext> {
  const worker = await NestFactory.createApplicationContext(WorkerModule.forRoot(config), {
    bufferLogs: true,
    abortOnError: false,
  });
  worker.useLogger(worker.get(Logger));
  return worker;
}
