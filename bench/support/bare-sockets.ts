import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import type { ChangesMessage } from '../../src/modules/sports/odds/game-changes.js';

/** The floor of the sockets: Socket.IO, a room a game, the same messages from the same channel, nothing else. */
const http = createServer((_, response) => response.end('ok'));
const namespace = new Server(http, { transports: ['websocket'], serveClient: false }).of('/odds');
namespace.on('connection', (socket) => {
  socket.on('subscribe', async ({ games }: { games: string[] }, acknowledge: (answer: object) => void) => {
    await socket.join(games.map((id) => `game:${id}`));
    acknowledge({ success: true });
  });
});
const redis = new Redis(process.env['REDIS_URL'] ?? '');
await redis.subscribe(`${process.env['REDIS_PREFIX']}:game-changes`);
redis.on('message', (_, message) => {
  const { prices = [] } = JSON.parse(message) as ChangesMessage;
  for (const { gameId, seq, prices: moved } of prices)
    namespace.local.to(`game:${gameId}`).emit('odds:changed', { gameId, from: seq - 1, seq, prices: moved });
});
http.listen(Number(process.env['PORT']), '127.0.0.1');
process.once('SIGTERM', () => process.exit());
