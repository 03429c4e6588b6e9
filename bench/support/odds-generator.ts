import { setTimeout as sleep } from 'node:timers/promises';
import { changesOf, openIntake, type PricedMarket, take } from './odds-intake.js';

/** How often what has become due is taken, as a feed's answer comes in pieces. */
const EVERY_MS = 20;

/** Takes changes at an even rate, and tells when each game's number was due and when it was published. */
export interface GeneratorOrder {
  databaseUrl: string;
  redisUrl: string;
  prefix: string;
  markets: PricedMarket[];
  perSecond: number;
  seconds: number;
}

export interface Publication {
  gameId: string;
  seq: number;
  changes: number;
  due: number;
  published: number;
}

const now = () => performance.timeOrigin + performance.now();

process.once('message', (order: GeneratorOrder) => {
  generate(order).catch((error: unknown) => {
    throw error;
  });
});

async function generate({ markets, perSecond, seconds, ...where }: GeneratorOrder): Promise<void> {
  const publications: Publication[] = [];
  let due = 0;
  const intake = await openIntake(where, ({ prices = [] }) => {
    const published = now();
    for (const { gameId, seq, prices: moved } of prices)
      publications.push({ gameId, seq, changes: moved.length, due, published });
  });
  const changes = changesOf(markets);
  const began = now();
  let sent = 0;
  while (sent < perSecond * seconds) {
    const owed = Math.floor(((now() - began) * perSecond) / 1000) - sent;
    due = now();
    if (owed > 0) await intake.service.take(take(changes, owed), []);
    sent += Math.max(owed, 0);
    await sleep(Math.max(1, EVERY_MS - (now() - due)));
  }
  await intake.stop();
  process.send?.(publications, () => process.exit());
}
