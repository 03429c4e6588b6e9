import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Somebody else's server, as tests stand in for it: on a free port of this machine alone. */
export abstract class LoopbackServer {
  private readonly server = createServer((request, response) => void this.serve(request, response));

  /** Without a slash at its end. Only of one that was started. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => void this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => void this.server.close(resolve));
  }

  protected abstract serve(request: IncomingMessage, response: ServerResponse): Promise<unknown>;
}
