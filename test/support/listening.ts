import { io, type Socket } from 'socket.io-client';
import type { Client } from './client.js';

/** What a client is told of an event, on a socket of each API process; the sockets are added to `open`, for the test to close. */
export async function listen<Told>(
  urls: readonly string[],
  { token }: Client,
  event: string,
  open: Socket[],
): Promise<Told[][]> {
  return await Promise.all(
    urls.map(async (url) => {
      const socket = io(`${url}/notifications`, {
        auth: { token },
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
      });
      open.push(socket);
      const told: Told[] = [];
      socket.on(event, (payload: Told) => told.push(payload));
      await new Promise((resolve, reject) => {
        socket.once('connect', () => resolve(null));
        socket.once('connect_error', reject);
      });
      return told;
    }),
  );
}
