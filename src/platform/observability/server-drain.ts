import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const SWEEP_MS = 50;

/** Ends an HTTP server without losing a request that it has begun to read. */
export class ServerDrain {
  private readonly sockets = new Set<Socket>();

  constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /**
   * Accepts nothing more and resolves when every request in hand has its whole answer. Kept-alive connections are
   * closed when they fall idle, and so are those that were opened ahead and never used, for which Node would wait.
   */
  async close(): Promise<void> {
    const sweep = setInterval(() => this.closeIdle(), SWEEP_MS);
    try {
      await new Promise<void>((resolve) => {
        this.server.close(() => resolve());
        this.closeIdle();
      });
    } finally {
      clearInterval(sweep);
    }
  }

  private closeIdle(): void {
    this.server.closeIdleConnections();
    for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
  }
}
