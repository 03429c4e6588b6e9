import type { IncomingMessage } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Express, Request } from 'express';
import type { Server, ServerOptions } from 'socket.io';
import { AppConfig } from '../config/app-config.js';
import { httpErrors } from '../http/http.errors.js';
import { FLOOD, RateLimitStorage } from '../security/rate-limit.storage.js';
import { TierCounts } from '../security/tier-counts.js';
import { SocketsService } from './sockets.service.js';

/** Bytes of one message at most. */
const MAX_MESSAGE = 100_000;
/** Milliseconds after the handshake in which a client names itself, or is dropped. */
const CONNECT_MS = 10_000;

/** Socket.IO beside the REST API, on the same port: WebSocket only, so that no balancer needs to stick. */
export class SocketAdapter extends IoAdapter {
  private made: Server | undefined;

  constructor(private readonly app: INestApplication) {
    super(app);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    if (this.made) return this.made;
    const { CORS_ORIGINS: origin } = this.app.get(AppConfig);
    const settings: Partial<ServerOptions> = {
      ...options,
      transports: ['websocket'],
      serveClient: false,
      maxHttpBufferSize: MAX_MESSAGE,
      connectTimeout: CONNECT_MS,
      cors: { origin },
      allowRequest: (request, decide) => {
        this.refusal(request).then(
          (refusal) => decide(refusal, refusal === null),
          () => decide(httpErrors.SERVICE_UNAVAILABLE.code, false),
        );
      },
    };
    this.made = super.createIOServer(port, settings as ServerOptions);
    this.app.get(SocketsService).guard(this.made);
    return this.made;
  }

  /** Why a handshake is answered with 400 and this code, or null. It counts as a request of its address. */
  private async refusal(request: IncomingMessage): Promise<string | null> {
    const { origin } = request.headers;
    // A page of another origin can open a WebSocket, which knows no CORS.
    if (origin !== undefined && !this.app.get(AppConfig).CORS_ORIGINS.includes(origin)) return 'FORBIDDEN';
    const { limit, seconds } = this.app.get(TierCounts).flood;
    const storage = this.app.get(RateLimitStorage);
    const { isBlocked } = await storage.increment(this.addressOf(request), seconds * 1000, limit, 0, FLOOD);
    return isBlocked ? httpErrors.RATE_LIMITED.code : null;
  }

  /** As the guards see it: by Express, which makes each of its requests its own like this and knows the trusted proxies. */
  private addressOf(request: IncomingMessage): string {
    const { request: prototype } = this.app.getHttpAdapter().getInstance() as Express;
    return (Object.setPrototypeOf(request, prototype) as Request).ip ?? '';
  }
}
