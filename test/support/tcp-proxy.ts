import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A way to a server that can be cut for those who go through it, while the server and everybody else stay as they are:
 * how Postgres or Redis is gone for one process.
 */
export class TcpProxy {
  private readonly pairs = new Set<[Socket, Socket]>();
  private server: Server = createServer();
  private silent = false;

  private constructor(
    private readonly target: URL,
    private port: number,
  ) {}

  /** A way to the host and port of this URL. */
  static async to(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(url), 0);
    await proxy.restore();
    return proxy;
  }

  /** The URL that leads through here. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  /** The ports from which it speaks to the server: whose connections the server's own are. */
  get ports(): number[] {
    return [...this.pairs].map(([, far]) => far.localPort ?? 0);
  }

  /** As when the server has died: connections are reset, new ones refused. */
  cut(): void {
    this.server.close();
    for (const pair of this.pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** As when the network swallows everything: connections stay, nothing is answered. */
  mute(): void {
    this.silent = true;
    for (const pair of this.pairs) halt(pair);
  }

  /** The server is back, at the same address. */
  async restore(): Promise<void> {
    this.silent = false;
    for (const pair of this.pairs) join(pair);
    for (let attempt = 1; !this.server.listening; attempt += 1) {
      this.server = createServer((socket) => this.lead(socket));
      this.server.listen(this.port, '127.0.0.1');
      try {
        await once(this.server, 'listening');
      } catch (error) {
        if (attempt === 20) throw error;
        await sleep(100);
      }
    }
    this.port = (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.cut();
  }

  private lead(near: Socket): void {
    const far = connect(Number(this.target.port), this.target.hostname);
    const pair: [Socket, Socket] = [near, far];
    this.pairs.add(pair);
    for (const [one, other] of [pair, pair.toReversed() as [Socket, Socket]]) {
      one.setNoDelay(true);
      one.on('error', () => undefined);
      one.once('close', () => {
        this.pairs.delete(pair);
        other.destroy();
      });
    }
    if (this.silent) halt(pair);
    else join(pair);
  }
}

function join([near, far]: [Socket, Socket]): void {
  near.pipe(far);
  far.pipe(near);
}

function halt([near, far]: [Socket, Socket]): void {
  near.unpipe(far);
  far.unpipe(near);
  near.pause();
  far.pause();
}
