import { connect, createServer, type AddressInfo } from 'node:net';

/** How many ports above the preferred one are tried before any free one is taken. */
const SEARCH = 100;
const HIGHEST_PORT = 65_535;

/**
 * Whether a server could listen on `port` of `host` now.
 *
 * Both connecting and listening are tried: macOS lets a program listen on 127.0.0.1 although another holds the
 * same port on all addresses, and the two would then share one port without either noticing.
 */
export async function portIsFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  if (await answers(port, host)) return false;
  return (await listenOnce(port, host)) !== null;
}

/**
 * The preferred port of 127.0.0.1, or when it is in use the next free one. A preferred port of 0 asks for any.
 * `taken` tells that the preferred one was in use, so that the caller can say which port it uses instead.
 */
export async function freePort(preferred: number): Promise<{ port: number; taken: boolean }> {
  if (preferred === 0) return { port: await anyPort(), taken: false };
  if (await portIsFree(preferred)) return { port: preferred, taken: false };

  const last = Math.min(preferred + SEARCH, HIGHEST_PORT);
  for (let port = preferred + 1; port <= last; port += 1) {
    if (await portIsFree(port)) return { port, taken: true };
  }
  return { port: await anyPort(), taken: true };
}

async function anyPort(): Promise<number> {
  const port = await listenOnce(0, '127.0.0.1');
  if (port === null)
    throw new Error('No port of 127.0.0.1 is free: stop some of the servers on this machine.');
  return port;
}

function answers(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    // A port that swallows packets is no local server's; listening decides.
    socket.setTimeout(1000, () => finish(false));
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

function listenOnce(port: number, host: string): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.unref();
    server.once('error', () => resolve(null));
    server.listen({ port, host, exclusive: true }, () => {
      const bound = (server.address() as AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}
