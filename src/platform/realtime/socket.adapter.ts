import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server, ServerOptions } from 'socket.io';
import { AppConfig } from '../config/app-config.js';
import { SocketsService } from './sockets.service.js';

/** Bytes of one message at most. */
const MAX_MESSAGE = 100_000;

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
      cors: { origin },
      // A page of another origin can open a WebSocket, which knows no CORS.
      allowRequest: ({ headers }, decide) =>
        decide(null, headers.origin === undefined || origin.includes(headers.origin)),
    };
    this.made = super.createIOServer(port, settings as ServerOptions);
    this.app.get(SocketsService).guard(this.made);
    return this.made;
  }
}
